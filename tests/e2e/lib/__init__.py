"""What the end-to-end tests are written in: hosts, links, daemons, tunnels, traffic.

    sandbox    one process tree in namespaces of its own; nothing in it outlives it
    host       a machine: a network namespace and a private /run
    ordinary   a user of a host who may do nothing special
    process    a program started on a host, and ended by its pid
    daemon     ferruled or wireguard-go, started, watched, and asked over UAPI
    tunnel     a WireGuard interface on a host, and `wg` to configure it
    scene      what one test builds: hosts, links, tunnels
    traffic    pings, transfers, echo servers
    cgroup     control groups: what limits a container or a service
    relay      a path between two hosts that takes its time
    flood      handshake messages from forged addresses, as fast as they go
    packets    IP, UDP and ICMP headers, byte by byte
    sniffer    frames as they pass an interface
    noise      WireGuard's handshake, small and slow
    puppet     a WireGuard peer in Python that does as it is told, right or wrong
    wait       polling with a deadline
    memory     what a live process holds in its memory
    registry   the list of tests, and what each may run against
"""
