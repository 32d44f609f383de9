"""No SQL is put together from strings: what comes from outside goes in as a parameter, or not at all.

Read from the source, so that a new place is met before it does harm. ruff's
rule S608 looks for words of SQL in strings; this looks at what reaches the
database, whatever it says.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("queue_store", "qbxml", "qbwc_service", "woo_bridge", "ops_console", "migrations")
#: What hands its first argument to a database as SQL.
_SINKS = {"text", "execute", "executemany", "executescript", "exec_driver_sql", "literal_column", "DDL"}
#: Places with a reason: file, and the expression.
ALLOWED: dict[tuple[str, str], str] = {
    (
        "queue_store/claim.py",
        "f\"'{ActivityState.DELAYED.value}'\"",
    ): "a constant of ours, which SQLite must see as written to use the partial index",
    **{
        (
            "ops_console/schema.py",
            sql,
        ): "a whole number of milliseconds from the source; neither statement takes parameters"
        for sql in (
            "f'SET LOCAL lock_timeout = {int(patience * 1000)}'",
            "f'PRAGMA busy_timeout={int(patience * 1000)}'",
            "f'PRAGMA busy_timeout={int(_PATIENCE * 1000)}'",
        )
    },
}


def put_together(node: ast.expr) -> bool:
    """True if this expression is text made of parts that are not all written in the source."""
    match node:
        case ast.JoinedStr():
            return any(isinstance(value, ast.FormattedValue) for value in node.values)
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            is_text = any(
                isinstance(side, ast.JoinedStr)
                or (isinstance(side, ast.Constant) and isinstance(side.value, str))
                for side in (node.left, node.right)
            )
            return is_text or put_together(node.left) or put_together(node.right)
        case ast.Call(func=ast.Attribute(attr="format" | "join" | "replace" | "format_map")):
            return True
        case ast.IfExp():
            return put_together(node.body) or put_together(node.orelse)
    return False


def places(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and source of each SQL that is put together in a module, also by way of a name in the same function."""
    for scope in ast.walk(tree):
        if not isinstance(scope, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        made = {
            target.id: node.value
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in ast.walk(scope):
            if not (isinstance(call, ast.Call) and call.args):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            sql = call.args[0]
            if isinstance(sql, ast.Name):
                sql = made.get(sql.id, sql)
            if name in _SINKS and put_together(sql):
                yield call.lineno, ast.unparse(sql)


def test_no_sql_is_put_together_from_strings() -> None:
    found = {
        (str(path.relative_to(ROOT)), sql)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for _, sql in places(ast.parse(path.read_text("utf-8")))
    }
    assert found == set(ALLOWED), "use parameters; or add the place with a reason"


def test_the_rule_sees_every_way_to_put_sql_together() -> None:
    for source in (
        'db.execute(text(f"SELECT {x}"))',
        'db.execute("SELECT " + x)',
        'db.execute("SELECT %s" % x)',
        'db.execute("SELECT {}".format(x))',
        'def f(x):\n    sql = f"DELETE FROM a WHERE b={x}"\n    db.execute(text(sql))',
        'c.executescript("".join(parts))',
        'literal_column(f"{x}")',
        'db.execute(f"A{x}" if x else "B")',
    ):
        assert list(places(ast.parse(source))), source
    for source in ('text("SELECT :x")', "db.execute(select(A).where(A.id == x))", 'db.execute("PRAGMA a")'):
        assert not list(places(ast.parse(source))), source
