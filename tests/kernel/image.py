"""Debian's kernels with their WireGuard, ready to boot: a vmlinux, and an initramfs that offers a shell.

A kernel's package is fetched once, unpacked, not installed, and kept in the build folder. Its bzImage
would need a boot loader's real mode; the vmlinux inside boots directly (PVH), in a few seconds even
where the processor is emulated.
"""

import glob
import lzma
import os
import re
import shutil
import stat
import struct
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "kernel")

METAPACKAGE = "linux-image-cloud-amd64"
PARTS = r"Depends: (linux-(?:binary|modules)-\S+-cloud-amd64)"    # of newer kernels' packages
WANTED_MODULES = ("virtio_pci", "virtio_net", "wireguard", "tun")
PROGRAMS = {"/bin/wg": "wg", "/sbin/ip": "ip"}
TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static", "lz4": "lz4",
         "zstd": "zstd", "strip": "binutils", "apt-get": "apt", "dpkg": "dpkg"}
UNPACKERS = {b"\x02\x21\x4c\x18": "lz4", b"\x28\xb5\x2f\xfd": "zstd"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Unavailable(Exception):
    """Why there is no kernel to boot here."""


class Image:
    """A kernel of the release that apt is set up for, or of another suite of Debian's."""

    def __init__(self, name, suite=None):
        self.suite = suite
        self.folder = os.path.join(FOLDER, name)
        self.vmlinux = os.path.join(self.folder, "vmlinux")
        self.initramfs = os.path.join(self.folder, "initramfs.cpio")
        self.modules = os.path.join(self.folder, "modules")
        self.trouble = os.path.join(self.folder, "trouble")

    def missing(self):
        """Why it can't boot; None if it can."""
        if os.path.exists(self.initramfs):
            return None
        return _read(self.trouble).decode() if os.path.exists(self.trouble) else "no kernel was prepared"

    def prepare(self, build_dir):
        """Makes what is missing of it, with the programs of this build in it; missing() tells how it
        went, in other processes too."""
        os.makedirs(self.folder, exist_ok=True)
        try:
            absent = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
            if absent:
                raise Unavailable(f"needs packages that are not installed: {' '.join(absent)}")
            if not os.path.exists(self.vmlinux):
                self._fetch()
            with open(self.initramfs + ".new", "wb") as file:
                file.write(_initramfs(self.modules, build_dir))
            os.replace(self.initramfs + ".new", self.initramfs)
        except Unavailable as unavailable:
            if os.path.exists(self.initramfs):
                os.remove(self.initramfs)
            with open(self.trouble, "w") as file:
                file.write(str(unavailable))

    def _fetch(self):
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            apt = _Apt(folder, self.suite)
            package = _only(apt.depends(METAPACKAGE, r"Depends: (linux-image-\S+-cloud-amd64)"))
            root = apt.unpack([package, *apt.depends(package, PARTS)])
            shutil.rmtree(self.modules, ignore_errors=True)
            modules = _only(glob.glob(f"{root}/lib/modules/*") + glob.glob(f"{root}/usr/lib/modules/*"))
            bzimage = _only(glob.glob(f"{root}/boot/vmlinuz-*") + glob.glob(f"{modules}/vmlinuz"))
            with open(bzimage, "rb") as file:
                _unpack_kernel(file.read(), self.vmlinux + ".new")
            os.rename(modules, self.modules)
        os.replace(self.vmlinux + ".new", self.vmlinux)


STOCK = Image("stock")
NEWER = Image("newer", suite="trixie-backports")


class _Apt:
    """apt, for the machine's release or another suite; what the machine has of apt stays as it is."""

    def __init__(self, folder, suite):
        self.folder = folder
        self.environment = None
        if suite:
            self._look_into(suite)

    def _look_into(self, suite):
        where = re.search(r"^(\S+) Debian Debian$", _output(
            ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL)"]), re.MULTILINE)
        if not where:
            raise Unavailable("apt knows no archive of Debian's")
        key = f"[signed-by={KEYRING}] " if os.path.exists(KEYRING) else ""
        self._write("sources.list", f"deb {key}{where[1]} {suite} main\n")
        for path in ("lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self.folder, path))
        config = self._write("apt.conf", f'''
            Dir::Etc::SourceList "{self.folder}/sources.list";
            Dir::Etc::SourceParts "-";
            Dir::State::Lists "{self.folder}/lists";
            Dir::Cache "{self.folder}/cache";
            APT::Sandbox::User "root";
            Acquire::http::Timeout "20";
            Acquire::Retries "0";
            ''')
        self.environment = {**os.environ, "APT_CONFIG": config}
        _output(["apt-get", "update"], env=self.environment)

    def _write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def depends(self, package, wanted):
        """What of its dependencies is wanted, a pattern."""
        found = re.findall(wanted, _output(["apt-cache", "depends", package], env=self.environment))
        return sorted(set(found))

    def unpack(self, packages):
        """Fetches packages and unpacks them, without installing; returns the folder."""
        root = os.path.join(self.folder, "root")
        _output(["apt-get", "download", *packages], cwd=self.folder, env=self.environment)
        for archive in glob.glob(os.path.join(self.folder, "*.deb")):
            _output(["dpkg", "-x", archive, root])
        return root


def _only(found):
    """Suites other than the one that this was written for may have their kernels elsewhere."""
    if len(found) != 1:
        raise Unavailable(f"a kernel whose packages are not as expected: found {found}")
    return found[0]


def _output(argv, cwd=None, env=None):
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=cwd,
                            env=env)
    if result.returncode != 0:
        raise Unavailable(f"`{' '.join(argv)}` failed: {result.stderr.strip()[-300:]}")
    return result.stdout


def _unpack_kernel(bzimage, target):
    """The compressed vmlinux: the setup header says where it is (Documentation/x86/boot.rst)."""
    setup_sectors = bzimage[0x1F1] or 4
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = bzimage[start:start + length - 4]     # its last word is the unpacked size
    unpacker = UNPACKERS.get(payload[:4])
    if not unpacker:
        raise Unavailable(f"a kernel that is packed in another way ({payload[:4].hex()})")
    with tempfile.NamedTemporaryFile() as file:
        file.write(payload)
        file.flush()
        _output([unpacker, "-dqf", file.name, "-o", target] if unpacker == "zstd"
                else [unpacker, "-dqf", file.name, target])


# --- the initramfs ------------------------------------------------------------------------------

def _initramfs(modules_folder, build_dir):
    files = {"/bin/busybox": _read(shutil.which("busybox")), "/init": _read(f"{HERE}/guest_init.sh")}
    programs = {place: shutil.which(program) for place, program in PROGRAMS.items()}
    for ours in ("ferrule", "ferruled"):
        path = os.path.join(build_dir, ours)
        if os.path.exists(path):
            programs[f"/bin/{ours}"] = path
    for place, path in programs.items():
        files[place] = _stripped(path)
        files |= {library: _read(library) for library in _libraries(path)}
    modules = _with_dependencies(modules_folder, WANTED_MODULES)
    files |= {f"/modules/{number:02}-{name}.ko": module
              for number, (name, module) in enumerate(modules.items())}
    return _cpio(files)


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _stripped(program):
    """What it needs to run: the machine has little memory."""
    with tempfile.NamedTemporaryFile() as file:
        _output(["strip", "-o", file.name, program])
        return _read(file.name)


def _libraries(program):
    return re.findall(r"(/\S+) \(0x", _output(["ldd", program]))


def _with_dependencies(folder, names):
    """These modules by name, each after those that it needs; what is built in is no module."""
    paths = {}
    for path in glob.glob(f"{folder}/kernel/**/*.ko*", recursive=True):
        paths[os.path.basename(path).partition(".")[0].replace("-", "_")] = path
    ordered = {}

    def add(name):
        name = name.replace("-", "_")
        if name in ordered or name not in paths:
            return
        module = _read(paths[name])
        if paths[name].endswith(".xz"):
            module = lzma.decompress(module)
        depends = re.search(rb"\0depends=([^\0]*)\0", b"\0" + module)[1].decode()
        for other in filter(None, depends.split(",")):
            add(other)
        ordered[name] = module

    for name in names:
        add(name)
    if "wireguard" not in ordered:
        raise Unavailable("a kernel that has no module for WireGuard")
    return ordered


def _cpio(files):
    """A cpio archive in the kernel's "newc" format."""
    folders = {"/proc", "/sys", "/dev", "/tmp", "/var", "/var/run"}
    for path in files:
        while path := os.path.dirname(path).rstrip("/"):
            folders.add(path)
    entries = [(path, stat.S_IFDIR | 0o755, b"") for path in sorted(folders)]
    entries += [(path, stat.S_IFREG | 0o755, content) for path, content in files.items()]
    entries.append(("/TRAILER!!!", 0, b""))
    archive = bytearray()
    for number, (path, mode, content) in enumerate(entries, 1):
        name = path[1:].encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
        archive += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        archive += bytes(-len(archive) % 4)
        archive += content + bytes(-len(content) % 4)
    return bytes(archive)
