"""The service's description has Intuit's shape; only its name, its address and its comments are ours."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from qbwc_service.wsdl import service_wsdl

INTUITS_NAME, OURS = "TroubleshootWebServiceFS", "QBWebConnectorSvc"


def shape(root: etree._Element) -> set[tuple[str, ...]]:
    """Every element with its attributes and its way from the root, but for texts and the address."""
    found = set()
    for element in root.iter(etree.Element):
        if etree.QName(element).localname == "documentation":
            continue
        way = [element, *element.iterancestors()]
        names = [f"{step.tag} {step.get('name', '').replace(INTUITS_NAME, OURS)}" for step in way]
        attributes = [
            f"{key}={value.replace(INTUITS_NAME, OURS)}"
            for key, value in element.attrib.items()
            if key != "location"
        ]
        found.add((*names, *sorted(attributes)))
    return found


def test_the_wsdl_differs_from_intuits_in_name_and_address_only():
    intuits = etree.parse(Path(__file__).parent / "data" / "intuit.wsdl").getroot()
    assert shape(etree.fromstring(service_wsdl("https://shop.example/qbwc"))) == shape(intuits)


def test_the_address_is_the_one_asked_for_and_no_other():
    for url in ("https://shop.example/qbwc", 'https://other.example/a?b="c"&d', "http://localhost:8000/qbwc"):
        root = etree.fromstring(service_wsdl(url))
        assert root.xpath("//@location") == [url, url]


def test_nothing_stands_before_the_declaration():
    assert service_wsdl("https://shop.example/qbwc").startswith(b"<?xml")
