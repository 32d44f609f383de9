"""https with an authority of one's own: trusted when named, refused otherwise."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ops_sandbox.web_connector import CertificateRefused, QwcFile, QwcRefused, SoapClient, WebConnector


def write_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / f"{host}.pem", folder / f"{host}.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file


@pytest.fixture
def tls_service(say, tmp_path):
    """Makes a service on localhost whose certificate names `host`: (service, certificate file)."""
    services = []

    def make(host="localhost"):
        certificate, key = write_certificate(tmp_path, host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        services.append(say.service(context))
        return services[-1], certificate

    yield make
    for service in services:
        service.stop()


def test_a_run_goes_over_https_when_the_authority_is_named(tls_service, say, company, clock):
    service, certificate = tls_service()
    service.on |= {"/qbwc": say.answer("hello"), "/support": say.answer("help")}
    qwc = QwcFile.parse(say.qwc(service.url, service.base + "/support").encode())
    qwc.add_checks(ca_file=certificate)
    connector = WebConnector(qwc, "secret", company, clock=clock, sleep=clock.sleep, ca_file=certificate)
    service.connections = 0
    assert connector.run_once().outcome == "ok"
    assert service.connections == 1


def test_an_unknown_authority_is_refused(tls_service, say, company):
    service, _ = tls_service()
    with SoapClient(service.url, 5) as client, pytest.raises(CertificateRefused, match="not trusted"):
        client.server_version()
    qwc = QwcFile.parse(say.qwc(service.url, service.base + "/support").encode())
    with pytest.raises(QwcRefused, match="QBWC1048"):
        qwc.add_checks()
    assert WebConnector(qwc, "secret", company).run_once().qbwc_code == "QBWC1012"


def test_a_certificate_for_another_host_is_refused(tls_service):
    service, certificate = tls_service("shop.example")
    with SoapClient(service.url, 5, ca_file=certificate) as client, pytest.raises(CertificateRefused):
        client.server_version()


def test_a_missing_authority_file_is_told_at_once(tmp_path):
    with pytest.raises(FileNotFoundError):
        SoapClient("https://localhost/", ca_file=tmp_path / "none.pem")
