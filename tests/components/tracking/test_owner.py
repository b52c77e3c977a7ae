import dataclasses
import os
import subprocess
import sys

import psutil

from components.tracking.owner import Owner, parse_owner, process_start, this_process


def test_this_process_lives_and_its_text_comes_back():
    me = this_process()
    assert me.pid == psutil.Process().pid
    assert me.alive is True
    assert parse_owner(str(me)) == me


def test_a_killed_process_is_dead_even_before_it_is_reaped():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = dataclasses.replace(this_process(), pid=child.pid, started=process_start(child.pid))
    assert owner.alive is True
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    assert owner.alive is False
    child.wait()
    assert owner.alive is False
    assert process_start(child.pid) is None


def test_another_process_with_the_same_id_is_not_the_owner():
    me = this_process()
    assert dataclasses.replace(me, started="an earlier boot/1").alive is False


def test_another_machine_can_not_be_judged_from_here():
    assert Owner(host="elsewhere", pid=1, started="x").alive is None


def test_two_processes_start_at_different_moments():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process_start(child.pid) not in {None, this_process().started}
    child.communicate(b"\n")
