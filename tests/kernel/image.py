"""Debian's kernel with its WireGuard, ready to boot: a vmlinux, and an initramfs that offers a shell.

The kernel's package is fetched once, unpacked, not installed, and kept in the build folder. Its bzImage
would need a boot loader's real mode; the vmlinux inside boots directly (PVH), in a few seconds even
where the processor is emulated.
"""

import glob
import os
import re
import shutil
import stat
import struct
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "kernel")
VMLINUX = os.path.join(FOLDER, "vmlinux")
MODULES = os.path.join(FOLDER, "modules")
INITRAMFS = os.path.join(FOLDER, "initramfs.cpio")

METAPACKAGE = "linux-image-cloud-amd64"
WANTED_MODULES = ("virtio_pci", "virtio_net", "wireguard")
PROGRAMS = {"/bin/wg": "wg", "/sbin/ip": "ip"}
TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static", "lz4": "lz4", "strip": "binutils",
         "apt-get": "apt", "dpkg": "dpkg"}


class Unavailable(Exception):
    """Why there is no kernel to boot here."""


def prepare(build_dir):
    """Makes what is missing of the image, with the `ferrule` of this build in it."""
    absent = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if absent:
        raise Unavailable(f"needs packages that are not installed: {' '.join(absent)}")
    os.makedirs(FOLDER, exist_ok=True)
    if not os.path.exists(VMLINUX):
        _fetch()
    with open(INITRAMFS + ".new", "wb") as file:
        file.write(_initramfs(os.path.join(build_dir, "ferrule")))
    os.replace(INITRAMFS + ".new", INITRAMFS)


def _fetch():
    depends = _output(["apt-cache", "depends", METAPACKAGE])
    package = re.search(r"Depends: (linux-image-\S+-cloud-amd64)", depends)
    if not package:
        raise Unavailable(f"apt knows no {METAPACKAGE}")
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        _output(["apt-get", "download", package[1]], cwd=folder)
        archive, = glob.glob(os.path.join(folder, "*.deb"))
        _output(["dpkg", "-x", archive, os.path.join(folder, "root")])
        shutil.rmtree(MODULES, ignore_errors=True)
        os.rename(glob.glob(os.path.join(folder, "root/lib/modules/*"))[0], MODULES)
        bzimage, = glob.glob(os.path.join(folder, "root/boot/vmlinuz-*"))
        payload = os.path.join(folder, "payload.lz4")
        with open(bzimage, "rb") as source, open(payload, "wb") as target:
            target.write(_payload(source.read()))
        _output(["lz4", "-dqf", payload, VMLINUX + ".new"])
    os.replace(VMLINUX + ".new", VMLINUX)


def _output(argv, cwd=None):
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=cwd)
    if result.returncode != 0:
        raise Unavailable(f"`{' '.join(argv)}` failed: {result.stderr.strip()[-300:]}")
    return result.stdout


def _payload(bzimage):
    """The compressed vmlinux: the setup header says where it is (Documentation/x86/boot.rst)."""
    setup_sectors = bzimage[0x1F1] or 4
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    return bzimage[start:start + length - 4]        # its last word is the unpacked size


# --- the initramfs ------------------------------------------------------------------------------

def _initramfs(ferrule):
    files = {"/bin/busybox": _read(shutil.which("busybox")), "/init": _read(f"{HERE}/guest_init.sh")}
    programs = {place: shutil.which(program) for place, program in PROGRAMS.items()}
    if os.path.exists(ferrule):
        programs["/bin/ferrule"] = ferrule
    for place, path in programs.items():
        files[place] = _stripped(path)
        files |= {library: _read(library) for library in _libraries(path)}
    modules = _with_dependencies(WANTED_MODULES)
    files |= {f"/modules/{number:02}-{os.path.basename(path)}": _read(path)
              for number, path in enumerate(modules)}
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


def _with_dependencies(names):
    """Paths of these modules, each after those that it needs."""
    paths = {}
    for path in glob.glob(f"{MODULES}/kernel/**/*.ko", recursive=True):
        paths[os.path.basename(path)[:-3].replace("-", "_")] = path
    ordered = []

    def add(name):
        path = paths[name.replace("-", "_")]
        if path in ordered:
            return
        depends = re.search(rb"\0depends=([^\0]*)\0", b"\0" + _read(path))[1].decode()
        for other in filter(None, depends.split(",")):
            add(other)
        ordered.append(path)

    for name in names:
        add(name)
    return ordered


def _cpio(files):
    """A cpio archive in the kernel's "newc" format."""
    folders = {"/proc", "/sys", "/dev", "/tmp"}
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
