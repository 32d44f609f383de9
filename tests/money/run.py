"""Random orders from the shop into QuickBooks, counted: `python -m tests.money.run --orders 100000`.

Each seed is a shop of its own with 100 orders, and a Point of Sale of its own.
Ends with 1 if any order came out wrong.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from functools import partial

from tests.money.drawing import ORDERS_PER_SHOP
from tests.money.show import show
from tests.money.trial import Outcome, Trial, Wrong

_SHOWN = 60


def run_shop(work: tuple[int, range], *, mode: str, wrong_switch: bool) -> Outcome:
    """Some orders of one shop."""
    seed, numbers = work
    try:
        return Trial(seed, mode, wrong_switch=wrong_switch).run(numbers)
    except Exception:  # noqa: BLE001 - the outermost edge of this process; many errors cannot leave it
        return Outcome(wrong=[Wrong(seed, numbers[0], f"broke off: {traceback.format_exc()}")])


def shops(orders: int, first_seed: int) -> list[tuple[int, range]]:
    """So many orders, as shops with the numbers of their orders."""
    whole, rest = divmod(orders, ORDERS_PER_SHOP)
    work = [(first_seed + place, range(ORDERS_PER_SHOP)) for place in range(whole)]
    return [*work, (first_seed + whole, range(rest))] if rest else work


def report(outcome: Outcome, seconds: float, replay: Callable[[int, int], str]) -> str:
    """What a person reads at the end; `replay` gives the command that shows one order again."""
    text = [
        f"orders                    {outcome.orders}, of which {outcome.orders - outcome.bad} must go",
        f"drawn again               {outcome.passed_over}, for a little below nothing",
        f"receipts                  {outcome.receipts}",
        f"refunds                   {outcome.refunds}",
        f"returns                   {outcome.returns}",
        f"wrong                     {len(outcome.wrong)}",
        f"refused by QuickBooks     {outcome.refused_by_pos.total()}",
        *(f"  {count:>7}  {reason}" for reason, count in outcome.refused_by_pos.most_common()),
        f"refused before sending    {outcome.refused['order']} orders and {outcome.refused['refund']} refunds "
        f"that must go: {100 * outcome.refused['order'] / max(1, outcome.orders - outcome.bad):g} %",
        f"bad on purpose, refused   {outcome.refused_bad.total()}",
        *(f"  {count:>7}  {reason}" for reason, count in outcome.refused_bad.most_common()),
        *([f"tax as a line after all   {outcome.by_line.total()}"] if outcome.by_line else []),
        *(f"  {count:>7}  {reason}" for reason, count in outcome.by_line.most_common()),
        f"seconds                   {seconds:.1f}",
        f"orders a second           {outcome.orders / seconds:.0f}",
    ]
    for wrong in outcome.wrong[:_SHOWN]:
        text += [
            "",
            f"shop {wrong.seed}, order {wrong.number}: {wrong.what}",
            f"  {replay(wrong.seed, wrong.number)}",
        ]
    if len(outcome.wrong) > _SHOWN:
        text += ["", f"... and {len(outcome.wrong) - _SHOWN} more"]
    return "\n".join(text)


def main(arguments: Iterable[str] | None = None) -> int:
    """Runs, prints, and gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.money.run", description=__doc__)
    parser.add_argument("--orders", type=int, default=3000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the first shop's")
    parser.add_argument("--only", type=int, metavar="N", help="this order of shop S alone, shown whole")
    parser.add_argument("--mode", choices=("line", "flavour"), default="line")
    parser.add_argument("--wrong-switch", action="store_true", help="set every company up wrongly")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    parser.add_argument("--seconds", type=float, metavar="N", help="end after so long, with what is done")
    given = parser.parse_args(None if arguments is None else list(arguments))
    options = {"mode": given.mode, "wrong_switch": given.wrong_switch}
    extra = ("" if given.mode == "line" else " --mode flavour") + (
        " --wrong-switch" if given.wrong_switch else ""
    )

    def replay(seed: int, number: int) -> str:
        return f"python -m tests.money.run --seed {seed} --only {number}{extra}"

    started, outcome = time.monotonic(), Outcome()
    if given.only is not None:
        show(given.seed, given.only, **options)
        outcome = run_shop((given.seed, range(given.only, given.only + 1)), **options)
    else:
        with multiprocessing.Pool(given.processes) as pool:
            for each in pool.imap_unordered(partial(run_shop, **options), shops(given.orders, given.seed)):
                outcome.add(each)
                if given.seconds is not None and time.monotonic() - started > given.seconds:
                    print(f"ended after {given.seconds:g} seconds, before all were drawn\n")
                    break
    print(report(outcome, time.monotonic() - started, replay))
    if given.wrong_switch and not outcome.noticed:
        print("\nThe wrong switch changed nothing: there was nothing to notice.")
        return 1
    if given.wrong_switch:
        print(f"\n{outcome.differing} answers differ, {outcome.noticed} would stop their company.")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
