# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_keyrot_me_global_optspecs
    string join \n json q/quiet v/verbose h/help V/version
end

function __fish_keyrot_me_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_keyrot_me_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_keyrot_me_using_subcommand
    set -l cmd (__fish_keyrot_me_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -s V -l version -d 'Print version'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "rotate" -d 'Rotate the key of a profile, or finish a rotation that was interrupted'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "status" -d 'Show the age of keys, their limits and what the next run would do'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "finish" -d 'Delete retired keys that are past their grace'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "rollback" -d 'Within the grace: switch the old key on again and put it back'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "import" -d 'Take a key that was made in the console: prove it, store it, and rotate it at once'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "store" -d 'Where keys are kept: the AWS files or the operating system\'s keychain'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "credential-process" -d 'Hand a profile\'s key to an AWS tool, from the file or the keychain'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "schedule" -d 'The timer that rotates by itself: a systemd user timer, a launchd agent or a Windows task'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "doctor" -d 'Look for what would keep a rotation, the timer or a reminder from working, and say how to mend it'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "purge" -d 'Disable, and later delete, over-age access keys of IAM groups: a dry run unless --apply is given'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "completions" -d 'Write a completion script to standard output'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "man" -d 'Write a man page to standard output, or all of them into a folder'
complete -c keyrot-me -n "__fish_keyrot_me_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l profile -d 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l if-older-than -d 'Only keys of at least this age (90s, 15m, 24h, 5d, 2w)' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l mfa-code -d 'The current MFA code; other processes can see arguments: rather be asked, or use --mfa-command' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l mfa-command -d 'Program that prints the current MFA code; split as a shell does, run without a shell' -r -f -a "(__fish_complete_command)"
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l mfa-serial -d 'The MFA device [default: the profile\'s mfa_serial, else IAM is asked]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l auth-profile -d 'Sign with another profile: SSO, a role, `aws login`; the way back in when the key is gone' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l store -d 'Move the key there first, as `store move` does [default: the setting store.kind, else where it is]' -r -f -a "file\t''
keychain\t''"
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l retire-after -d 'Grace between switching the old key off and deleting it [default: 24h]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l replace -d 'Give up this key where IAM\'s quota of two is full: it is deleted for good' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l skip-sink -d 'Let the old key go off although this sink failed' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l at -d 'The timer\'s weekly hour: a key is rotated that was due then, or that the purge would take before the next one [default: what is due now]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l jitter -d 'Wait a random part of this before anything is done, so that a fleet does not call at once [default: 1m; none where standard error is a terminal]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l all -d 'All profiles that hold a long-term key'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l no-mfa -d 'Sign with the key itself, without MFA'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -s y -l yes -d 'Do not ask before deleting what the rules allow to delete'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l dry-run -d 'Print the steps; change nothing, ask for no code'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l scheduled -d 'As the timer does it: rotate what is due, finish what is unfinished, never ask on a terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rotate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand status" -l profile -d 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand status" -l all -d 'All profiles that hold a long-term key'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand status" -l check -d 'Exit with 10 when a key is due, 11 when one is overdue'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand status" -l offline -d 'Ask nobody: only what the local journal knows'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand status" -l short -d 'One line for a shell\'s prompt, without any call; nothing where all is fresh'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand status" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand status" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand status" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -l profile -d 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -l mfa-code -d 'The current MFA code; other processes can see arguments: rather be asked, or use --mfa-command' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -l mfa-command -d 'Program that prints the current MFA code; split as a shell does, run without a shell' -r -f -a "(__fish_complete_command)"
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -l mfa-serial -d 'The MFA device [default: the profile\'s mfa_serial, else IAM is asked]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -l auth-profile -d 'Sign with another profile: SSO, a role, `aws login`; the way back in when the key is gone' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -l retire-after -d 'Grace between switching the old key off and deleting it [default: 24h]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -l all -d 'All profiles that hold a long-term key'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -l no-mfa -d 'Sign with the key itself, without MFA'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -s y -l yes -d 'Do not ask before deleting what the rules allow to delete'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -l now -d 'Delete them at once'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand finish" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rollback" -l profile -d 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rollback" -l mfa-code -d 'The current MFA code; other processes can see arguments: rather be asked, or use --mfa-command' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rollback" -l mfa-command -d 'Program that prints the current MFA code; split as a shell does, run without a shell' -r -f -a "(__fish_complete_command)"
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rollback" -l mfa-serial -d 'The MFA device [default: the profile\'s mfa_serial, else IAM is asked]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rollback" -l auth-profile -d 'Sign with another profile: SSO, a role, `aws login`; the way back in when the key is gone' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rollback" -l all -d 'All profiles that hold a long-term key'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rollback" -l no-mfa -d 'Sign with the key itself, without MFA'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rollback" -s y -l yes -d 'Do not ask before deleting what the rules allow to delete'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rollback" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rollback" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rollback" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -l profile -d 'Profile that gets the key [default: AWS_PROFILE, else default]' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -l store -d 'Where a profile without a key gets it [default: kind in [store] of the config file, else file]' -r -f -a "file\t''
keychain\t''"
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -l replace -d 'Give up this key where IAM\'s quota of two is full: it is deleted for good' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -l mfa-code -d 'The current MFA code; other processes can see arguments: rather be asked, or use --mfa-command' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -l mfa-command -d 'Program that prints the current MFA code; split as a shell does, run without a shell' -r -f -a "(__fish_complete_command)"
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -l mfa-serial -d 'The MFA device [default: the profile\'s mfa_serial, else IAM is asked]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -l auth-profile -d 'Sign with another profile: SSO, a role, `aws login`; the way back in when the key is gone' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -l no-rotate -d 'Keep the key as it is'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -l erase -d 'Erase the file in the end, without asking'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -l no-mfa -d 'Sign with the key itself, without MFA'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -s y -l yes -d 'Do not ask before deleting what the rules allow to delete'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and not __fish_seen_subcommand_from move help" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and not __fish_seen_subcommand_from move help" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and not __fish_seen_subcommand_from move help" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and not __fish_seen_subcommand_from move help" -s h -l help -d 'Print help'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and not __fish_seen_subcommand_from move help" -f -a "move" -d 'Move a profile\'s key into the keychain, or back into the credentials file'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and not __fish_seen_subcommand_from move help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and __fish_seen_subcommand_from move" -l to -d 'Where the key is to be' -r -f -a "file\t''
keychain\t''"
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and __fish_seen_subcommand_from move" -l profile -d 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and __fish_seen_subcommand_from move" -s y -l yes -d 'Give up another key that the keychain holds under the profile\'s name'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and __fish_seen_subcommand_from move" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and __fish_seen_subcommand_from move" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and __fish_seen_subcommand_from move" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and __fish_seen_subcommand_from move" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "move" -d 'Move a profile\'s key into the keychain, or back into the credentials file'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand credential-process" -l profile -d 'Profile whose key is meant' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand credential-process" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand credential-process" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand credential-process" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand credential-process" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and not __fish_seen_subcommand_from install status remove help" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and not __fish_seen_subcommand_from install status remove help" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and not __fish_seen_subcommand_from install status remove help" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and not __fish_seen_subcommand_from install status remove help" -s h -l help -d 'Print help'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and not __fish_seen_subcommand_from install status remove help" -f -a "install" -d 'Install the timer, or change the one that is installed'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and not __fish_seen_subcommand_from install status remove help" -f -a "status" -d 'Show whether the timer is installed, its next and last run, and what came of it'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and not __fish_seen_subcommand_from install status remove help" -f -a "remove" -d 'Remove the timer and all that belongs to it; no key is touched'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and not __fish_seen_subcommand_from install status remove help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from install" -l at -d 'The weekly hour, on this machine\'s clock' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from install" -l profile -d 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from install" -l auth-profile -d 'The timer\'s runs sign with another profile: SSO, a role, `aws login`' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from install" -l all -d 'All profiles that hold a long-term key'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from install" -l no-mfa -d 'The timer\'s runs sign with the key itself, without MFA'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from install" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from install" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from install" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from status" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from status" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from status" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from help" -f -a "install" -d 'Install the timer, or change the one that is installed'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from help" -f -a "status" -d 'Show whether the timer is installed, its next and last run, and what came of it'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Remove the timer and all that belongs to it; no key is touched'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand schedule; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand doctor" -l profile -d 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand doctor" -l mfa-code -d 'The current MFA code; other processes can see arguments: rather be asked, or use --mfa-command' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand doctor" -l mfa-command -d 'Program that prints the current MFA code; split as a shell does, run without a shell' -r -f -a "(__fish_complete_command)"
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand doctor" -l mfa-serial -d 'The MFA device [default: the profile\'s mfa_serial, else IAM is asked]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand doctor" -l auth-profile -d 'Sign with another profile: SSO, a role, `aws login`; the way back in when the key is gone' -r -f
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand doctor" -l all -d 'All profiles that hold a long-term key'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand doctor" -l no-mfa -d 'Sign with the key itself, without MFA'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand doctor" -s y -l yes -d 'Do not ask before deleting what the rules allow to delete'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand doctor" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand doctor" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand doctor" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l group -d 'IAM group whose members\' keys are looked at; may be given several times' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l max-age -d 'Keys of at least this age are disabled' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l grace -d 'Time between disabling and deleting; 0 does both in one run' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l warn-before -d 'Warn of keys that will be over the limit within this time [default: 24h]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l unused-for -d 'Disable only keys that were not used for so long' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l exempt-group -d 'Members of this group are spared; may be given several times' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l ou -d 'Only accounts of this organizational unit and the units below it; may be given several times' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l account -d 'This account; may be given several times [default: the caller\'s own]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l role -d 'Role to assume in each account [default with --org or another account: keyrot-me-purge]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l external-id -d 'External id that the role\'s trust policy asks for' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l profile -d 'Sign with this profile [default: the environment, else AWS_PROFILE, else default]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l max-affected -d 'Leave an account untouched where more keys than this would be disabled or deleted: 25% or a number [default: 25% of the scanned keys, at least 10]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l time-limit -d 'Stop cleanly after this time and say what is left' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l report -d 'Write a report; .json, .csv or .html; may be given several times' -r -F
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l period -d 'How far back the review looks [default: 7d]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l history -d 'File with one line for each finished run, which is added; the review shows the trend from it' -r -F
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l notify -d 'Tell people: sns:TOPIC_ARN, ses:FROM_ADDRESS, slack:SOURCE or ticket:SOURCE; may be given several times' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l notify-limit -d 'Above so many owners, or tickets, none of them is written to, and the team is told [default: 50]' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l notify-templates -d 'Folder with templates that take the place of our own' -r -f -a "(__fish_complete_directories)"
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l owner-tag -d 'User tag that holds the owner\'s mail address' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l owner-address -d 'The owner\'s address where the tag says nothing, like {user}@example.com' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l owner-map -d 'CSV file of owners\' addresses: account,user,address; it goes before the tag, and an account of * is every one' -r -F
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l team-address -d 'Who is written to where a key has no owner\'s address or mail to it bounced before' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l explain -d 'Say of one user, or one key id, which rules were asked and what they saw; changes nothing' -r
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l all-users -d 'Every user of the account'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l all-keys -d 'Every key goes, whatever its age (as --max-age 0)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l exempt-tag -d 'The user tag keyrot-me/exempt = \'YYYY-MM-DD ticket reason\' spares a user, for at most 90 days'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l org -d 'All active accounts of the organization'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l allow-empty -d 'A group without members, or an organizational unit without accounts, is no error'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l apply -d 'Do it; without this nothing is changed'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l report-only -d 'Change nothing and tell how things stand: exempt keys over the limit, exemptions that end, users without an owner\'s address, keys by age, what became of keys in --period'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand purge" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand completions" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand completions" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand completions" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand completions" -s h -l help -d 'Print help'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand man" -l dir -d 'Write the page of each command into this folder, which must be there' -r -f -a "(__fish_complete_directories)"
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand man" -l json -d 'One JSON object on standard output instead of text for people'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand man" -s q -l quiet -d 'No progress on the terminal'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand man" -s v -l verbose -d 'More about what is done; never a secret (-vv: the SDK\'s own log too)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand man" -s h -l help -d 'Print help'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "rotate" -d 'Rotate the key of a profile, or finish a rotation that was interrupted'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "status" -d 'Show the age of keys, their limits and what the next run would do'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "finish" -d 'Delete retired keys that are past their grace'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "rollback" -d 'Within the grace: switch the old key on again and put it back'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "import" -d 'Take a key that was made in the console: prove it, store it, and rotate it at once'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "store" -d 'Where keys are kept: the AWS files or the operating system\'s keychain'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "credential-process" -d 'Hand a profile\'s key to an AWS tool, from the file or the keychain'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "schedule" -d 'The timer that rotates by itself: a systemd user timer, a launchd agent or a Windows task'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "doctor" -d 'Look for what would keep a rotation, the timer or a reminder from working, and say how to mend it'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "purge" -d 'Disable, and later delete, over-age access keys of IAM groups: a dry run unless --apply is given'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "completions" -d 'Write a completion script to standard output'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "man" -d 'Write a man page to standard output, or all of them into a folder'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and not __fish_seen_subcommand_from rotate status finish rollback import store credential-process schedule doctor purge completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "move" -d 'Move a profile\'s key into the keychain, or back into the credentials file'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and __fish_seen_subcommand_from schedule" -f -a "install" -d 'Install the timer, or change the one that is installed'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and __fish_seen_subcommand_from schedule" -f -a "status" -d 'Show whether the timer is installed, its next and last run, and what came of it'
complete -c keyrot-me -n "__fish_keyrot_me_using_subcommand help; and __fish_seen_subcommand_from schedule" -f -a "remove" -d 'Remove the timer and all that belongs to it; no key is touched'
