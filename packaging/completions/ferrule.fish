# fish completion for ferrule(8): `ferrule complete' knows what may stand next

function __ferrule_complete
    set -l words (commandline -opc)[2..]
    set -l current (commandline -ct)
    # Behind `--' stands another program's command line.
    if test "$words[1]" = run; and set -l at (contains -i -- -- $words)
        set -l theirs (string escape -- $words[(math $at + 1)..])
        complete -C "$theirs $current"
        return
    end
    for line in (ferrule complete -- $words (string unescape -- $current; or echo $current) 2>/dev/null)
        if test "$line" = @files
            __fish_complete_path $current
        else
            echo $line
        end
    end
end

complete -c ferrule -f -a '(__ferrule_complete)'
