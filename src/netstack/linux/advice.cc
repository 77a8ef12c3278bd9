#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "netstack/linux/inside.h"

namespace ferrule::netstack {

namespace {

// The number in a file of the kernel's; `otherwise` where there is none.
long number_in(const char* path, long otherwise) {
  std::ifstream file(path);
  long number = otherwise;
  file >> number;
  return file ? number : otherwise;
}

}  // namespace

std::string advice_on_namespaces(int error) {
  if (number_in("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0) {
    return "user namespaces are off for ordinary users here: root turns them on with `sysctl -w "
           "kernel.unprivileged_userns_clone=1`";
  }
  if (number_in("/proc/sys/user/max_user_namespaces", 1) == 0) {
    return "user namespaces are off here: root turns them on with `sysctl -w "
           "user.max_user_namespaces=10000`";
  }
  if (number_in("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) != 0) {
    return "AppArmor lets only named programs use user namespaces here: root allows this one with "
           "a profile (see docs/noroot.md), or all with `sysctl -w "
           "kernel.apparmor_restrict_unprivileged_userns=0`";
  }
  if (error == ENOSPC || error == EUSERS) {
    return "there are too many user namespaces already: user.max_user_namespaces";
  }
  if (error == EINVAL || error == ENOSYS) return "this kernel has no user namespaces";
  if (error == EPERM || error == EACCES) {
    return "user namespaces are not allowed here: in a container its seccomp profile forbids them "
           "(Docker: `--security-opt seccomp=unconfined`, or `--cap-add SYS_ADMIN`), or a chroot "
           "does";
  }
  return {};
}

std::string advice_on_tun(int error) {
  struct stat device;
  if (error == EACCES && ::stat("/dev/net/tun", &device) == 0) {
    return "its mode is such that only others may use it: root lets everybody with `chmod 666 "
           "/dev/net/tun`, as ordinary distributions have it (an interface still needs rights in "
           "its namespace)";
  }
  if (error == ENOENT) {
    return "this machine has no such device: root makes it with `modprobe tun`, and a container "
           "gets it with `--device /dev/net/tun`";
  }
  return {};
}

}  // namespace ferrule::netstack
