/* Two tunnels in one process, in C: a handshake and a packet over a network that is two function calls.
 *   cc two_tunnels.c $(pkg-config --cflags --libs ferrule-c)
 * A real program has a socket and a TUN descriptor in their place, and waits until ferrule_deadline. */
#include <ferrule.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64, DATAGRAM = 2048 };

struct side {
  ferrule_tunnel* tunnel;
  uint8_t private_key[FERRULE_KEY_BYTES];
  uint8_t public_key[FERRULE_KEY_BYTES];
  ferrule_address address;
  int received;
};

static void check(int64_t result, const char* what) {
  if (result >= 0) return;
  fprintf(stderr, "%s: %s\n", what, ferrule_error_text((int32_t)result));
  exit(1);
}

/* The example's own clock: a program takes CLOCK_BOOTTIME and CLOCK_REALTIME. */
static ferrule_time now(void) {
  static int64_t ns = 1000000000;
  ferrule_time time = {.size = sizeof time, .wall_seconds = 1800000000};
  time.boot_ns = ns += 1000000;
  time.wall_nanoseconds = (uint32_t)(ns % 1000000000);
  return time;
}

static void write_hex(char* text, const uint8_t* key) {
  for (int i = 0; i < FERRULE_KEY_BYTES; ++i) sprintf(text + 2 * i, "%02x", key[i]);
}

static void make(struct side* side, int number) {
  check(ferrule_private_key(side->private_key), "private key");
  check(ferrule_public_key(side->private_key, side->public_key), "public key");
  check(ferrule_tunnel_new(NULL, &side->tunnel), "new tunnel");
  side->address =
      (ferrule_address){.family = 4, .port = 51820, .address = {192, 0, 2, (uint8_t)number}};
}

static void configure(struct side* side, const struct side* peer, int number) {
  char request[512], private_key[65], public_key[65];
  write_hex(private_key, side->private_key);
  write_hex(public_key, peer->public_key);
  const int length = snprintf(request, sizeof request,
                              "set=1\nprivate_key=%s\npublic_key=%s\nendpoint=192.0.2.%d:51820\n"
                              "allowed_ip=10.0.0.%d/32\n\n",
                              private_key, public_key, number, number);
  const ferrule_time time = now();
  check(ferrule_configure(side->tunnel, &time, request, (size_t)length), "configure");
  check(ferrule_up(side->tunnel, &time), "up");
  memset(request, 0, sizeof request); /* a program takes explicit_bzero or the like */
  memset(private_key, 0, sizeof private_key);
}

/* The network: what one side has to send is given to the other, and what that leads to, back. */
static void carry(struct side* from, struct side* to) {
  static uint8_t buffers[8][BATCH][DATAGRAM]; /* one call deeper is another batch */
  static int depth = 0;
  ferrule_outgoing outgoing[BATCH];
  ferrule_incoming incoming[BATCH];
  ferrule_packet packets[BATCH];
  int32_t count, taken;
  if (depth == 8) return;
  outgoing[0].size = sizeof outgoing[0];
  count = ferrule_take_datagrams(from->tunnel, outgoing, BATCH);
  check(count, "take datagrams");
  if (count == 0) return;
  for (int32_t i = 0; i < count; ++i) {
    memcpy(buffers[depth][i], outgoing[i].data, outgoing[i].length);
    incoming[i] = (ferrule_incoming){.size = sizeof incoming[i],
                                     .data = buffers[depth][i],
                                     .length = outgoing[i].length,
                                     .from = from->address};
    check(ferrule_sent(from->tunnel, &outgoing[i], 0), "sent");
  }
  const ferrule_time time = now();
  check(ferrule_decapsulate(to->tunnel, &time, incoming, (size_t)count), "decapsulate");
  packets[0].size = sizeof packets[0];
  while ((taken = ferrule_take_packets(to->tunnel, packets, BATCH)) > 0) {
    for (int32_t i = 0; i < taken; ++i) {
      printf("%zu bytes arrived\n", packets[i].length);
      ++to->received;
    }
  }
  ++depth;
  carry(to, from);
  --depth;
}

int main(void) {
  static struct side a, b; /* all zero */
  printf("libferrule %s, ABI %u\n", ferrule_version(), (unsigned)ferrule_abi_version());
  make(&a, 1);
  make(&b, 2);
  configure(&a, &b, 2);
  configure(&b, &a, 1);

  uint8_t ip[100] = {0x45, 0, 0, 100, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
  const ferrule_packet packet = {.size = sizeof packet, .data = ip, .length = sizeof ip};
  const ferrule_time time = now();
  check(ferrule_encapsulate(a.tunnel, &time, &packet, 1), "encapsulate");
  carry(&a, &b); /* handshake and all */

  printf("b wants to be called in %.1f s\n",
         (double)(ferrule_deadline(b.tunnel) - time.boot_ns) / 1e9);
  ferrule_tunnel_free(a.tunnel);
  ferrule_tunnel_free(b.tunnel);
  return b.received == 1 ? 0 : 1;
}
