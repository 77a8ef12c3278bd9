/* What lwIP asks of its surroundings; stack.cc has it. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif
uint32_t ferrule_lwip_random(void);
uint16_t ferrule_lwip_checksum(const void* data, int size);
void* ferrule_lwip_malloc(size_t size);
void* ferrule_lwip_calloc(size_t count, size_t size);
void ferrule_lwip_free(void* memory);
__attribute__((noreturn)) void ferrule_lwip_assert(const char* message);
#ifdef __cplusplus
}
#endif

#define LWIP_RAND() ferrule_lwip_random()
#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(message) ferrule_lwip_assert(message)
