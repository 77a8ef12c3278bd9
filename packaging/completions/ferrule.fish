# fish completion for ferrule(8): `ferrule complete' knows what may stand next

function __ferrule_complete
    set -l words (commandline -opc)[2..]
    set -l current (commandline -ct)
    for line in (ferrule complete -- $words "$current" 2>/dev/null)
        if test "$line" = @files
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end

complete -c ferrule -f -a '(__ferrule_complete)'
