# fish completion for ferrule(8)

function __ferrule_commands
    ferrule --help 2>/dev/null | string replace -rf '^  ([a-z]+): (.*)' '$1\t$2'
end

function __ferrule_interfaces
    ferrule show interfaces 2>/dev/null | string split ' '
end

function __ferrule_files
    for file in /etc/wireguard/*.conf
        basename $file .conf
    end
end

function __ferrule_options
    set -l command (commandline -opc)[2]
    ferrule $command --help 2>/dev/null | string match -ra -- '--[a-z][a-z-]*' | sort -u
end

complete -c ferrule -f
complete -c ferrule -n __fish_use_subcommand -a '(__ferrule_commands)'
complete -c ferrule -n 'not __fish_use_subcommand; and string match -q -- "-*" (commandline -ct)' -a '(__ferrule_options)'
complete -c ferrule -n '__fish_seen_subcommand_from up down save strip reload resolve init check shell proxy run' -a '(__ferrule_files)'
complete -c ferrule -n '__fish_seen_subcommand_from check setconf addconf syncconf' -F
complete -c ferrule -n '__fish_seen_subcommand_from peer' -a 'add list remove rename disable enable expire'
complete -c ferrule -n '__fish_seen_subcommand_from show showconf set setconf addconf syncconf doctor top watch metrics' -a '(__ferrule_interfaces)'
complete -c ferrule -n '__fish_seen_subcommand_from show' -a 'all interfaces public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips latest-handshakes transfer persistent-keepalive dump'
