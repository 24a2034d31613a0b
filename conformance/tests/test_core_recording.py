"""Recording and training state: scopes, exceptions, threads and tasks."""

from __future__ import annotations

import asyncio
import threading

import pytest

import unigrad as ug


def state() -> tuple[bool, bool]:
    return ug.is_recording(), ug.is_training()


def test_scopes_set_and_restore_both_flags() -> None:
    assert state() == (False, False)
    with ug.record():
        assert state() == (True, True)
        with ug.pause():
            assert state() == (False, False)
            with ug.train_mode():
                assert state() == (False, True)
        with ug.pause(train_mode=True):
            assert state() == (False, True)
        with ug.predict_mode():
            assert state() == (True, False)
        assert state() == (True, True)
    with ug.record(train_mode=False):
        assert state() == (True, False)
    assert state() == (False, False)


def test_an_exception_restores_the_outer_state_and_loses_no_gradient() -> None:
    x = ug.ones(2)
    x.attach_grad()
    results = []

    def interrupted() -> None:
        with ug.record():
            results.append(x * 2)
            raise KeyError("in the middle")

    with pytest.raises(KeyError):
        interrupted()
    assert state() == (False, False)
    results[0].backward()
    assert x.grad.tolist() == [2, 2]


def test_a_scope_can_be_entered_again_while_it_is_open() -> None:
    scope = ug.record()
    with scope:
        with ug.pause(), scope:
            assert state() == (True, True)
        assert state() == (True, True)
    assert state() == (False, False)


def test_threads_record_on_their_own() -> None:
    seen = []
    with ug.record():
        thread = threading.Thread(target=lambda: seen.append(state()))
        thread.start()
        thread.join()
    assert seen == [(False, False)]


def test_tasks_record_on_their_own() -> None:
    async def recording(entered: asyncio.Event, leave: asyncio.Event) -> None:
        with ug.record():
            entered.set()
            await leave.wait()

    async def main() -> tuple[bool, bool]:
        entered, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(recording(entered, leave))
        await entered.wait()
        seen = state()
        leave.set()
        await task
        return seen

    assert asyncio.run(main()) == (False, False)


def test_nothing_is_recorded_outside_or_while_paused_or_from_unattached_arrays() -> None:
    x = ug.ones(2)
    x.attach_grad()
    outside = x * 2
    with ug.record():
        unattached = ug.ones(2) * 2
        with ug.pause():
            paused = x * 2
    for y in (outside, unattached, paused):
        with pytest.raises(ug.NotRecordedError, match="record"):
            y.backward()
