// A plugin for qemu's user-mode emulation that counts the instructions of a program, and sums up which
// they were, in their order. Says both at the end: `instructions N, path HEX`.
//
// qemu's own header comes with no package of Debian's: these are the functions of its interface
// (version 1) that are called here.
#include <cstddef>
#include <cstdint>
#include <cstdio>

extern "C" {
using PluginId = std::uint64_t;
struct Block;
struct Instruction;
using OnTranslation = void (*)(PluginId, Block*);
using OnRun = void (*)(unsigned cpu, void* data);
using OnExit = void (*)(PluginId, void* data);

void qemu_plugin_register_vcpu_tb_trans_cb(PluginId, OnTranslation);
void qemu_plugin_register_vcpu_insn_exec_cb(Instruction*, OnRun, int flags, void* data);
void qemu_plugin_register_atexit_cb(PluginId, OnExit, void* data);
std::size_t qemu_plugin_tb_n_insns(const Block*);
Instruction* qemu_plugin_tb_get_insn(const Block*, std::size_t index);
std::uint64_t qemu_plugin_insn_vaddr(const Instruction*);

extern const int qemu_plugin_version;
int qemu_plugin_install(PluginId id, const void* info, int argc, char** argv);
}

namespace {

std::uint64_t count;
std::uint64_t path = 0xcbf29ce484222325;

void note(unsigned, void* address) {
  ++count;
  path = (path ^ reinterpret_cast<std::uintptr_t>(address)) * 0x100000001b3;  // FNV-1a
}

void watch(PluginId, Block* block) {
  for (std::size_t i = 0; i < qemu_plugin_tb_n_insns(block); ++i) {
    Instruction* instruction = qemu_plugin_tb_get_insn(block, i);
    qemu_plugin_register_vcpu_insn_exec_cb(
        instruction, note, 0, reinterpret_cast<void*>(qemu_plugin_insn_vaddr(instruction)));
  }
}

void report(PluginId, void*) {
  std::fprintf(stderr, "instructions %llu, path %016llx\n", static_cast<unsigned long long>(count),
               static_cast<unsigned long long>(path));
}

}  // namespace

#define EXPORTED __attribute__((visibility("default")))

EXPORTED extern const int qemu_plugin_version = 1;

EXPORTED int qemu_plugin_install(PluginId id, const void*, int, char**) {
  qemu_plugin_register_vcpu_tb_trans_cb(id, watch);
  qemu_plugin_register_atexit_cb(id, report, nullptr);
  return 0;
}
