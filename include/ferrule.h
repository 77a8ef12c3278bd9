/* libferrule for programs in any language: WireGuard without I/O. Packets in, datagrams out, and back; the
 * program brings sockets, clock and threads. docs/embedding.md says how; bindings/ has examples.
 *
 * Results are 0, or a count; below 0 they are one of enum ferrule_error, whose text ferrule_error_text has.
 * No call throws, blocks, reads a clock, opens a file or starts a thread. Null where a pointer is wanted,
 * and a struct whose size is not set, are FERRULE_INVALID.
 *
 * Threads: a handle is one thread's at a time. Handles know nothing of each other.
 *
 * Structs begin with their size: the program sets it to sizeof, also where the library fills a struct. So
 * either may be older than the other: what one does not know is left out, and zero. In an array, that of the
 * first element counts for all.
 *
 * Text is UTF-8 with a length; it may hold keys, which the program wipes in its own memory. The library wipes
 * its copies. Where a call fills a buffer it returns the whole length that there is: with less room than that
 * the text was cut, and is to be asked for again. */
#ifndef FERRULE_H
#define FERRULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- versions and errors --- */

/* Grows with each addition. What is there stays as it is: another libferrule.so.N would be a new library. */
#define FERRULE_ABI_VERSION 1

uint32_t ferrule_abi_version(void); /* of the library that runs */
const char* ferrule_version(void);  /* "0.2.0" */

enum ferrule_error {
  FERRULE_OK = 0,
  FERRULE_INVALID = -1,   /* an argument is wrong */
  FERRULE_NO_MEMORY = -2, /* what was asked for is lost, all else is sound */
  FERRULE_REFUSED = -3,   /* a configuration was refused; ferrule_answer or the mistakes say why */
  FERRULE_NO_RANDOM = -4, /* the system gave none */
  FERRULE_INTERNAL = -5   /* a mistake of the library */
};

/* Lives as long as the program. */
const char* ferrule_error_text(int32_t error);

/* --- keys --- */

#define FERRULE_KEY_BYTES 32
#define FERRULE_KEY_TEXT_BYTES 45 /* base64 and the zero behind it */

int32_t ferrule_private_key(
    uint8_t key[FERRULE_KEY_BYTES]); /* a new one, of the system's randomness */
int32_t ferrule_public_key(const uint8_t private_key[FERRULE_KEY_BYTES],
                           uint8_t public_key[FERRULE_KEY_BYTES]);
/* In time that does not depend on the key. */
int32_t ferrule_key_to_text(const uint8_t key[FERRULE_KEY_BYTES],
                            char text[FERRULE_KEY_TEXT_BYTES]);
int32_t ferrule_key_from_text(const char* text, size_t length, uint8_t key[FERRULE_KEY_BYTES]);

/* --- a tunnel --- */

typedef struct ferrule_tunnel ferrule_tunnel;

enum ferrule_log_level { FERRULE_SILENT = 0, FERRULE_ERRORS = 1, FERRULE_VERBOSE = 2 };

typedef struct {
  size_t size;
  void* user; /* given to the calls below */
  /* A line for people, without line break and without keys, within a call of the same handle; it must not
   * call the library. Null: none. */
  void (*log)(void* user, int32_t level, const char* line, size_t length);
  int32_t log_level; /* lines up to this one */
  /* Null: the system's randomness. Else it fills `out` and returns 0, as a simulation wants it. */
  int32_t (*random)(void* user, uint8_t* out, size_t length);
} ferrule_options;

/* Null options: none of them. The tunnel is down. The caller frees it; null is fine there. */
int32_t ferrule_tunnel_new(const ferrule_options* options, ferrule_tunnel** tunnel);
void ferrule_tunnel_free(ferrule_tunnel* tunnel);

/* What time it is: on a clock that never jumps and runs while the machine sleeps, and on the wall. */
typedef struct {
  size_t size;
  int64_t boot_ns;
  int64_t wall_seconds; /* Unix time */
  uint32_t wall_nanoseconds;
} ferrule_time;

/* An address and a port. Of a local source, an interface's index (0: any) in `scope` and no port. */
typedef struct {
  uint8_t family; /* 0: none, 4, or 6 */
  uint8_t reserved;
  uint16_t port;       /* in the machine's byte order */
  uint32_t scope;      /* interface of a link-local address */
  uint8_t address[16]; /* in the network's byte order; IPv4 has the first four */
} ferrule_address;

/* An IP packet of the inside. */
typedef struct {
  size_t size;
  const uint8_t* data;
  size_t length;
} ferrule_packet;

/* A datagram that came. It is opened where it lies, and must stay until the packets were taken. */
typedef struct {
  size_t size;
  uint8_t* data;
  size_t length;
  ferrule_address from;
  ferrule_address to; /* the local address that it came to, if known */
  uint8_t ecn;        /* the two bits of the outer header */
} ferrule_incoming;

/* A datagram to send. */
typedef struct {
  size_t size;
  const uint8_t* data; /* until the next call that takes a time */
  size_t length;
  ferrule_address to;
  ferrule_address from;  /* send from here; none: as the system likes */
  uint64_t peer;         /* for ferrule_sent */
  uint8_t traffic_class; /* of the outer header, ECN included */
} ferrule_outgoing;

/* Each of these does what there is to do as well as what it is called for, and forgets what was not taken of
 * the call before. Batches of about 64 cost least. ferrule_tick is wanted at ferrule_deadline. */
int32_t ferrule_up(ferrule_tunnel* tunnel, const ferrule_time* now);
int32_t ferrule_down(ferrule_tunnel* tunnel); /* forgets all keys of sessions, and sends nothing */
int32_t ferrule_encapsulate(ferrule_tunnel* tunnel, const ferrule_time* now,
                            const ferrule_packet* packets, size_t count);
int32_t ferrule_decapsulate(ferrule_tunnel* tunnel, const ferrule_time* now,
                            const ferrule_incoming* datagrams, size_t count);
int32_t ferrule_tick(ferrule_tunnel* tunnel, const ferrule_time* now);

/* What the last of them led to, in order: fills up to `count` and returns how many. 0: that was all. */
int32_t ferrule_take_datagrams(ferrule_tunnel* tunnel, ferrule_outgoing* datagrams, size_t count);
int32_t ferrule_take_packets(ferrule_tunnel* tunnel, ferrule_packet* packets, size_t count);

/* What became of a datagram: 0 for sent, or the system's errno. Before the next call that takes a time. */
int32_t ferrule_sent(ferrule_tunnel* tunnel, const ferrule_outgoing* datagram, int32_t error);

/* When ferrule_tick is wanted, on the boot clock: perhaps a time that has passed. INT64_MAX: not at all. */
int64_t ferrule_deadline(ferrule_tunnel* tunnel);

/* Of the inside; 1420 at first. Padding ends there. */
int32_t ferrule_set_mtu(ferrule_tunnel* tunnel, uint32_t mtu_bytes);

/* --- configuration and what it has become --- */

/* Requests in the text of WireGuard's configuration protocol: "set=1\n...\n\n", "get=1\n\n". A set is done
 * whole or not at all. FERRULE_REFUSED where the answer to one of them is not errno=0; the number is Linux's.
 * It takes a time: what a set leads to is to be taken. */
int32_t ferrule_configure(ferrule_tunnel* tunnel, const ferrule_time* now, const char* request,
                          size_t length);
/* The answers to the last requests, until the next. They may hold keys. */
int64_t ferrule_answer(ferrule_tunnel* tunnel, char* text, size_t room);

typedef struct {
  size_t size;
  uint64_t peers;
  uint64_t rx_bytes; /* of all peers, as get tells them one by one */
  uint64_t tx_bytes;
  uint64_t dropped;     /* messages and packets that were refused, for whatever reason */
  uint16_t listen_port; /* as configured; whoever opens sockets reads it here */
  uint32_t fwmark;
} ferrule_statistics;

int32_t ferrule_get_statistics(ferrule_tunnel* tunnel, ferrule_statistics* statistics);
/* How often something was refused for one reason, from 0 on; null behind the last. The name lives as long as
 * the program. Numbers of reasons may differ from version to version, names stay. */
const char* ferrule_drop_reason(ferrule_tunnel* tunnel, uint32_t reason, uint64_t* count);

/* --- files of wg-quick --- */

typedef struct ferrule_conf ferrule_conf;

/* Reads a .conf file's text. FERRULE_REFUSED where it has mistakes: the handle then has those and nothing
 * else. There is a handle with FERRULE_OK and FERRULE_REFUSED alone, and the caller frees it. `name` is the
 * file's, for messages. */
int32_t ferrule_conf_read(const char* name, const char* text, size_t length, ferrule_conf** conf);
void ferrule_conf_free(ferrule_conf* conf);

typedef struct {
  size_t size;
  uint32_t line;   /* from 1 */
  uint32_t column; /* from 1, in bytes */
  uint32_t length; /* of what is wrong, in bytes */
  int32_t is_warning;
  const char* message; /* as long as the handle */
  const char* shown;   /* the line, with what may be a key starred out */
} ferrule_mistake;

/* The mistakes from number `first` on: fills up to `count` and returns how many. */
int32_t ferrule_conf_mistakes(const ferrule_conf* conf, size_t first, ferrule_mistake* mistakes,
                              size_t count);

enum ferrule_conf_part {
  FERRULE_CONF_REQUEST = 0,   /* for ferrule_configure: all but endpoints that are names */
  FERRULE_CONF_NAMES = 1,     /* a line each: the peer's key in hex, a space, host, a space, port */
  FERRULE_CONF_ADDRESSES = 2, /* of the interface, a line each: 10.0.0.2/24 */
  FERRULE_CONF_DNS = 3,       /* servers, a line each */
  FERRULE_CONF_DNS_SEARCH = 4,
  FERRULE_CONF_MTU = 5 /* empty where the file says nothing */
};

/* A part as text; -1 for a part that is unknown. The program looks names up and adds what it found by
 * "set=1\npublic_key=...\nupdate_only=true\nendpoint=...\n\n". */
int64_t ferrule_conf_text(const ferrule_conf* conf, int32_t part, char* text, size_t room);

#ifdef __cplusplus
}
#endif

#endif
