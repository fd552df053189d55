"""One server for most tests, an account of its own for each module, servers of their own for tests that stop or damage one."""

import pytest

from harness import ledger
from harness.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The shared server. The last test of the session stops it and reads what it left."""
    made = Server(tmp_path_factory.mktemp("shared") / "data").start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def account(server, request):
    """A fresh account for the module."""
    return server.account(request.module.__name__.replace("_", "-"))


@pytest.fixture(scope="module")
def other_account(server, request):
    """A second one, for crossing over."""
    return server.account(request.module.__name__.replace("_", "-") + "-other")


@pytest.fixture(scope="module")
def nobody(account):
    """A user of the module's account whom no policy allows anything. Its tests give it none."""
    return account.user(name="nobody")


@pytest.fixture
def own_server(tmp_path):
    """A server of the test's own, not started."""
    made = Server(tmp_path / "data")
    yield made
    made.kill()


def pytest_collection_modifyitems(items):
    """The search for leaked secrets comes last: it reads what all others left behind."""
    items.sort(key=lambda item: item.path.name == "test_secrets_leak_nowhere.py")


def pytest_sessionfinish():
    """No server outlives the session, also where a test failed before it ended its own."""
    for server in ledger.SERVERS:
        server.kill()
