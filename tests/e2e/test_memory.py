"""Keys leave the memory of the daemon when they are no longer of use (P24, P46), and never get into
its log.

A test knows the keys: it has set them, or shares them as the daemon's peer. First it finds them, so
that not to find them says something. Expiry takes nine minutes; src/core/protocol has a test of that in
virtual time.
"""

from lib import memory, noise
from lib.process import status_field
from lib.registry import Skip, behaviour
from lib.tunnel import new_preshared_key, new_private_key
from lib.wait import PATIENCE, eventually


class Watched:
    """A daemon with a session to a puppet, and what they know."""

    def __init__(self, scene):
        if PATIENCE != 1:
            raise Skip("sanitizers keep freed memory")
        self.tunnel, self.puppet = scene.solo()
        self.puppet.psk = new_preshared_key()
        self.tunnel.peer(self.puppet, psk=self.puppet.psk)
        self.use_session()

    def use_session(self):
        """A new session, with packets in it both ways, one by one and many at once."""
        self.puppet.connect()
        assert self.puppet.pings(self.tunnel)
        for _ in range(20):
            self.puppet.inject(bytes(1300))
        assert self.puppet.pings(self.tunnel)

    def long_term(self):
        shared = noise.x25519(self.tunnel.private_key, self.puppet.public_key)
        return {"private key": self.tunnel.private_key, "preshared key": self.puppet.psk,
                "shared secret of the static keys": shared}

    def session(self):
        return {"sending key": self.puppet.session.receiving_key,
                "receiving key": self.puppet.session.sending_key}

    def has(self, secrets, **options):
        """The names of those secrets that are in its memory."""
        return {name for name, _ in memory.find(self.tunnel.daemon.pid, secrets, **options)}

    def check_known(self, secrets):
        assert self.has(secrets) == set(secrets), f"only {self.has(secrets)} in memory"

    def check_gone(self, secrets):
        def nowhere():
            places = memory.find(self.tunnel.daemon.pid, secrets)
            assert not places, f"still there: {places}"
            return True
        eventually(nowhere, "the keys are gone", 5)


@behaviour
def test_P46_a_removed_peer_leaves_no_key(scene):
    watched = Watched(scene)
    secrets = {**watched.long_term(), **watched.session()}
    watched.check_known(secrets)
    watched.tunnel.remove(watched.puppet)
    del secrets["private key"]
    watched.check_gone(secrets)


@behaviour
def test_P46_replaced_sessions_leave_no_key(scene):
    watched = Watched(scene)
    first = watched.session()
    for _ in range(2):
        watched.use_session()
    watched.check_known(watched.session())
    watched.check_gone(first)


@behaviour
def test_P59a_going_down_leaves_no_session_key(scene):
    watched = Watched(scene)
    watched.check_known(watched.session())
    watched.tunnel.host.run("ip link set wg0 down")
    watched.check_gone(watched.session())


@behaviour
def test_P101_a_changed_private_key_leaves_none_of_the_old(scene):
    watched = Watched(scene)
    old = watched.long_term()
    del old["preshared key"]
    watched.check_known(old)
    watched.tunnel.set("private-key /dev/stdin", input=f"{new_private_key()}\n")
    watched.check_gone(old)


@behaviour
def test_P101_a_changed_preshared_key_leaves_none_of_the_old(scene):
    watched = Watched(scene)
    old = {"preshared key": watched.puppet.psk}
    watched.check_known(old)
    watched.tunnel.peer(watched.puppet, psk=new_preshared_key())
    watched.check_gone(old)


# What is computed on the way to the session keys.

def passing(watched, handshake):
    secrets = {f"passing secret {i}": secret for i, secret in enumerate(handshake.passing)}
    kept = watched.long_term().values()
    return {name: secret for name, secret in secrets.items() if secret not in kept}


@behaviour
def test_P24_a_responder_keeps_nothing_of_a_handshake(scene):
    watched = Watched(scene)
    handshake = watched.puppet.new_handshake()
    watched.puppet.send(handshake.initiation())
    handshake.finish(watched.puppet.receive_kind(noise.RESPONSE))
    secrets = passing(watched, handshake)
    assert len(secrets) >= 11
    watched.check_gone(secrets)


@behaviour
def test_P24_an_initiator_keeps_nothing_of_a_handshake(scene):
    watched = Watched(scene)
    watched.tunnel.remove(watched.puppet)
    watched.tunnel.peer(watched.puppet, endpoint="192.0.2.2:51820", psk=watched.puppet.psk)
    watched.tunnel.host.run(f"ping -c 1 -W 0.1 {watched.puppet.inside4}", check=False)
    initiation = watched.puppet.receive_kind(noise.INITIATION, 10)
    handshake = watched.puppet.new_handshake()
    response = handshake.accept(initiation)
    secrets = passing(watched, handshake)
    assert watched.has(secrets), "it waits for the response with nothing in mind"
    watched.puppet.send(response)
    assert watched.puppet.receive_kind(noise.TRANSPORT), "the session is not used"
    watched.check_gone(secrets)


# The text of a configuration, on its way in and out.

@behaviour
def test_configuration_text_leaves_no_key(scene):
    watched = Watched(scene)
    watched.tunnel.wg("show", "dump")
    watched.tunnel.wg("showconf")
    keys = {"private key": watched.tunnel.private_key, "preshared key": watched.puppet.psk}
    places = memory.find(watched.tunnel.daemon.pid, keys, forms=memory.texts)
    assert not places, f"still there: {places}"
    watched.check_known(keys)


@behaviour
def test_a_refused_request_leaves_no_key(scene):
    watched = Watched(scene)
    new = {"private key": new_private_key(), "preshared key": new_preshared_key()}
    watched.tunnel.uapi(f"set=1\nprivate_key={new['private key'].hex()}\n"
                        f"public_key={watched.puppet.public_key.hex()}\n"
                        f"preshared_key={new['preshared key'].hex()}\nno_such_key=1\n\n")
    watched.check_gone(new)


@behaviour
def test_an_unfinished_request_leaves_no_key(scene):
    watched = Watched(scene)
    key = new_private_key()
    with watched.tunnel.daemon.connect() as connection:
        connection.sendall(f"set=1\nprivate_key={key.hex()}\npublic_key={key.hex()[:40]}".encode())
        eventually(lambda: watched.has({"private key": key}), "the daemon has read it")
    watched.check_gone({"private key": key})


# None of it is written to swap, whichever thread it belongs to.

@behaviour(unlike_go="leaves that to its surroundings")
def test_P46_all_memory_is_locked(scene):
    watched = Watched(scene)
    pid = watched.tunnel.daemon.pid
    loose = [name for name, words in memory.flags(pid) if "lo" not in words]
    assert not loose, f"not locked: {loose}"
    scene.note(f"RSS {status_field(pid, 'VmRSS') / 1024:.1f} MiB")


# The log is at its most talkative in all of these tests, and the suite looks for the keys of its
# tunnels in the logs of every test. Here are the others, and lines that are refused.

@behaviour
def test_no_key_is_logged(scene):
    watched = Watched(scene)
    scene.secrets += [*watched.session().values(), *watched.long_term().values(),
                      watched.puppet.private_key]
    key = new_private_key()
    scene.secrets.append(key)
    for line in (f"private_key={key.hex()}0", f"private_key={key}", f"private_key={key.hex()}\n=",
                 f"public_key={key}", f"privat_key={key.hex()}", f"{key.hex()}", f"{key}"):
        assert "errno=0\n" not in watched.tunnel.uapi(f"set=1\n{line}\n\n"), line
    watched.tunnel.host.run(["kill", "-USR1", str(watched.tunnel.daemon.pid)])
    eventually(lambda: "drops" in watched.tunnel.daemon.log(), "the counters are logged")
