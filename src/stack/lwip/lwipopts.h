/* How lwIP is built for Ferrule: both families, TCP with large windows, no threads, no sockets of its own.
   What a number means is said in lwIP's opt.h. */
#pragma once

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_RAW 0
#define LWIP_STATS 0

/* One interface, which carries IP packets. */
#define LWIP_SINGLE_NETIF 1
#define LWIP_ARP 0
#define LWIP_ETHERNET 0
#define LWIP_DHCP 0
#define LWIP_IGMP 0
#define PBUF_LINK_HLEN 0
#define PBUF_LINK_ENCAPSULATION_HLEN 0
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1

#define LWIP_IPV4 1
#define IP_FORWARD 0
#define IP_REASS_MAX_PBUFS 256
#define LWIP_IPV6 1
#define LWIP_IPV6_MLD 0
#define LWIP_IPV6_SCOPES 0
#define LWIP_IPV6_NUM_ADDRESSES 8
#define LWIP_IPV6_AUTOCONFIG 0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT 0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0
#define LWIP_ND6_ALLOW_RA_UPDATES 0
#define LWIP_ND6_QUEUEING 0
#define IPV6_FRAG_COPYHEADER 1

/* Memory is the C library's, with a bound on all of it (stack.cc). */
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 8
#define mem_clib_malloc ferrule_lwip_malloc
#define mem_clib_calloc ferrule_lwip_calloc
#define mem_clib_free ferrule_lwip_free

/* TCP. The MSS is that of the interface's MTU; here stands the largest that it may be. */
#define LWIP_TCP 1
#define TCP_MSS 8940
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 3
#define TCP_WND (256 * 1024)
#define TCP_SND_BUF (256 * 1024)
#define TCP_SND_QUEUELEN 2048
#define TCP_SNDLOWAT (16 * 1024)
#define LWIP_TCP_TIMESTAMPS 1
#define LWIP_TCP_SACK_OUT 1
#define TCP_QUEUE_OOSEQ 1
#define TCP_OOSEQ_MAX_BYTES TCP_WND
#define TCP_OOSEQ_MAX_PBUFS 1024
#define TCP_LISTEN_BACKLOG 1
#define LWIP_TCP_KEEPALIVE 1
#define TCP_KEEPIDLE_DEFAULT 120000UL
#define TCP_KEEPINTVL_DEFAULT 75000UL
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port) ferrule_lwip_random()

#define LWIP_CHKSUM ferrule_lwip_checksum
