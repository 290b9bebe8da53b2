
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'keyrot-me' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'keyrot-me'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'keyrot-me' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Rotate the key of a profile, or finish a rotation that was interrupted')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show the age of keys, their limits and what the next run would do')
            [CompletionResult]::new('finish', 'finish', [CompletionResultType]::ParameterValue, 'Delete retired keys that are past their grace')
            [CompletionResult]::new('rollback', 'rollback', [CompletionResultType]::ParameterValue, 'Within the grace: switch the old key on again and put it back')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Take a key that was made in the console: prove it, store it, and rotate it at once')
            [CompletionResult]::new('store', 'store', [CompletionResultType]::ParameterValue, 'Where keys are kept: the AWS files or the operating system''s keychain')
            [CompletionResult]::new('credential-process', 'credential-process', [CompletionResultType]::ParameterValue, 'Hand a profile''s key to an AWS tool, from the file or the keychain')
            [CompletionResult]::new('schedule', 'schedule', [CompletionResultType]::ParameterValue, 'The timer that rotates by itself: a systemd user timer, a launchd agent or a Windows task')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Look for what would keep a rotation, the timer or a reminder from working, and say how to mend it')
            [CompletionResult]::new('purge', 'purge', [CompletionResultType]::ParameterValue, 'Disable, and later delete, over-age access keys of IAM groups: a dry run unless --apply is given')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Write a completion script to standard output')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write a man page to standard output, or all of them into a folder')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'keyrot-me;rotate' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]')
            [CompletionResult]::new('--if-older-than', '--if-older-than', [CompletionResultType]::ParameterName, 'Only keys of at least this age (90s, 15m, 24h, 5d, 2w)')
            [CompletionResult]::new('--mfa-code', '--mfa-code', [CompletionResultType]::ParameterName, 'The current MFA code; other processes can see arguments: rather be asked, or use --mfa-command')
            [CompletionResult]::new('--mfa-command', '--mfa-command', [CompletionResultType]::ParameterName, 'Program that prints the current MFA code; split as a shell does, run without a shell')
            [CompletionResult]::new('--mfa-serial', '--mfa-serial', [CompletionResultType]::ParameterName, 'The MFA device [default: the profile''s mfa_serial, else IAM is asked]')
            [CompletionResult]::new('--auth-profile', '--auth-profile', [CompletionResultType]::ParameterName, 'Sign with another profile: SSO, a role, `aws login`; the way back in when the key is gone')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Move the key there first, as `store move` does [default: the setting store.kind, else where it is]')
            [CompletionResult]::new('--retire-after', '--retire-after', [CompletionResultType]::ParameterName, 'Grace between switching the old key off and deleting it [default: 24h]')
            [CompletionResult]::new('--replace', '--replace', [CompletionResultType]::ParameterName, 'Give up this key where IAM''s quota of two is full: it is deleted for good')
            [CompletionResult]::new('--skip-sink', '--skip-sink', [CompletionResultType]::ParameterName, 'Let the old key go off although this sink failed')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'The timer''s weekly hour: a key is rotated that was due then, or that the purge would take before the next one [default: what is due now]')
            [CompletionResult]::new('--jitter', '--jitter', [CompletionResultType]::ParameterName, 'Wait a random part of this before anything is done, so that a fleet does not call at once [default: 1m; none where standard error is a terminal]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All profiles that hold a long-term key')
            [CompletionResult]::new('--no-mfa', '--no-mfa', [CompletionResultType]::ParameterName, 'Sign with the key itself, without MFA')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before deleting what the rules allow to delete')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before deleting what the rules allow to delete')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Print the steps; change nothing, ask for no code')
            [CompletionResult]::new('--scheduled', '--scheduled', [CompletionResultType]::ParameterName, 'As the timer does it: rotate what is due, finish what is unfinished, never ask on a terminal')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'keyrot-me;status' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All profiles that hold a long-term key')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Exit with 10 when a key is due, 11 when one is overdue')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Ask nobody: only what the local journal knows')
            [CompletionResult]::new('--short', '--short', [CompletionResultType]::ParameterName, 'One line for a shell''s prompt, without any call; nothing where all is fresh')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'keyrot-me;finish' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]')
            [CompletionResult]::new('--mfa-code', '--mfa-code', [CompletionResultType]::ParameterName, 'The current MFA code; other processes can see arguments: rather be asked, or use --mfa-command')
            [CompletionResult]::new('--mfa-command', '--mfa-command', [CompletionResultType]::ParameterName, 'Program that prints the current MFA code; split as a shell does, run without a shell')
            [CompletionResult]::new('--mfa-serial', '--mfa-serial', [CompletionResultType]::ParameterName, 'The MFA device [default: the profile''s mfa_serial, else IAM is asked]')
            [CompletionResult]::new('--auth-profile', '--auth-profile', [CompletionResultType]::ParameterName, 'Sign with another profile: SSO, a role, `aws login`; the way back in when the key is gone')
            [CompletionResult]::new('--retire-after', '--retire-after', [CompletionResultType]::ParameterName, 'Grace between switching the old key off and deleting it [default: 24h]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All profiles that hold a long-term key')
            [CompletionResult]::new('--no-mfa', '--no-mfa', [CompletionResultType]::ParameterName, 'Sign with the key itself, without MFA')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before deleting what the rules allow to delete')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before deleting what the rules allow to delete')
            [CompletionResult]::new('--now', '--now', [CompletionResultType]::ParameterName, 'Delete them at once')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'keyrot-me;rollback' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]')
            [CompletionResult]::new('--mfa-code', '--mfa-code', [CompletionResultType]::ParameterName, 'The current MFA code; other processes can see arguments: rather be asked, or use --mfa-command')
            [CompletionResult]::new('--mfa-command', '--mfa-command', [CompletionResultType]::ParameterName, 'Program that prints the current MFA code; split as a shell does, run without a shell')
            [CompletionResult]::new('--mfa-serial', '--mfa-serial', [CompletionResultType]::ParameterName, 'The MFA device [default: the profile''s mfa_serial, else IAM is asked]')
            [CompletionResult]::new('--auth-profile', '--auth-profile', [CompletionResultType]::ParameterName, 'Sign with another profile: SSO, a role, `aws login`; the way back in when the key is gone')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All profiles that hold a long-term key')
            [CompletionResult]::new('--no-mfa', '--no-mfa', [CompletionResultType]::ParameterName, 'Sign with the key itself, without MFA')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before deleting what the rules allow to delete')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before deleting what the rules allow to delete')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'keyrot-me;import' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile that gets the key [default: AWS_PROFILE, else default]')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Where a profile without a key gets it [default: kind in [store] of the config file, else file]')
            [CompletionResult]::new('--replace', '--replace', [CompletionResultType]::ParameterName, 'Give up this key where IAM''s quota of two is full: it is deleted for good')
            [CompletionResult]::new('--mfa-code', '--mfa-code', [CompletionResultType]::ParameterName, 'The current MFA code; other processes can see arguments: rather be asked, or use --mfa-command')
            [CompletionResult]::new('--mfa-command', '--mfa-command', [CompletionResultType]::ParameterName, 'Program that prints the current MFA code; split as a shell does, run without a shell')
            [CompletionResult]::new('--mfa-serial', '--mfa-serial', [CompletionResultType]::ParameterName, 'The MFA device [default: the profile''s mfa_serial, else IAM is asked]')
            [CompletionResult]::new('--auth-profile', '--auth-profile', [CompletionResultType]::ParameterName, 'Sign with another profile: SSO, a role, `aws login`; the way back in when the key is gone')
            [CompletionResult]::new('--no-rotate', '--no-rotate', [CompletionResultType]::ParameterName, 'Keep the key as it is')
            [CompletionResult]::new('--erase', '--erase', [CompletionResultType]::ParameterName, 'Erase the file in the end, without asking')
            [CompletionResult]::new('--no-mfa', '--no-mfa', [CompletionResultType]::ParameterName, 'Sign with the key itself, without MFA')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before deleting what the rules allow to delete')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before deleting what the rules allow to delete')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'keyrot-me;store' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('move', 'move', [CompletionResultType]::ParameterValue, 'Move a profile''s key into the keychain, or back into the credentials file')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'keyrot-me;store;move' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Where the key is to be')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Give up another key that the keychain holds under the profile''s name')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Give up another key that the keychain holds under the profile''s name')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'keyrot-me;store;help' {
            [CompletionResult]::new('move', 'move', [CompletionResultType]::ParameterValue, 'Move a profile''s key into the keychain, or back into the credentials file')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'keyrot-me;store;help;move' {
            break
        }
        'keyrot-me;store;help;help' {
            break
        }
        'keyrot-me;credential-process' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile whose key is meant')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'keyrot-me;schedule' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('install', 'install', [CompletionResultType]::ParameterValue, 'Install the timer, or change the one that is installed')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show whether the timer is installed, its next and last run, and what came of it')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove the timer and all that belongs to it; no key is touched')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'keyrot-me;schedule;install' {
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'The weekly hour, on this machine''s clock')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]')
            [CompletionResult]::new('--auth-profile', '--auth-profile', [CompletionResultType]::ParameterName, 'The timer''s runs sign with another profile: SSO, a role, `aws login`')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All profiles that hold a long-term key')
            [CompletionResult]::new('--no-mfa', '--no-mfa', [CompletionResultType]::ParameterName, 'The timer''s runs sign with the key itself, without MFA')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'keyrot-me;schedule;status' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'keyrot-me;schedule;remove' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'keyrot-me;schedule;help' {
            [CompletionResult]::new('install', 'install', [CompletionResultType]::ParameterValue, 'Install the timer, or change the one that is installed')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show whether the timer is installed, its next and last run, and what came of it')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove the timer and all that belongs to it; no key is touched')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'keyrot-me;schedule;help;install' {
            break
        }
        'keyrot-me;schedule;help;status' {
            break
        }
        'keyrot-me;schedule;help;remove' {
            break
        }
        'keyrot-me;schedule;help;help' {
            break
        }
        'keyrot-me;doctor' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile whose key is meant; may be given several times [default: AWS_PROFILE, else default]')
            [CompletionResult]::new('--mfa-code', '--mfa-code', [CompletionResultType]::ParameterName, 'The current MFA code; other processes can see arguments: rather be asked, or use --mfa-command')
            [CompletionResult]::new('--mfa-command', '--mfa-command', [CompletionResultType]::ParameterName, 'Program that prints the current MFA code; split as a shell does, run without a shell')
            [CompletionResult]::new('--mfa-serial', '--mfa-serial', [CompletionResultType]::ParameterName, 'The MFA device [default: the profile''s mfa_serial, else IAM is asked]')
            [CompletionResult]::new('--auth-profile', '--auth-profile', [CompletionResultType]::ParameterName, 'Sign with another profile: SSO, a role, `aws login`; the way back in when the key is gone')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All profiles that hold a long-term key')
            [CompletionResult]::new('--no-mfa', '--no-mfa', [CompletionResultType]::ParameterName, 'Sign with the key itself, without MFA')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before deleting what the rules allow to delete')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before deleting what the rules allow to delete')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'keyrot-me;purge' {
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'IAM group whose members'' keys are looked at; may be given several times')
            [CompletionResult]::new('--max-age', '--max-age', [CompletionResultType]::ParameterName, 'Keys of at least this age are disabled')
            [CompletionResult]::new('--grace', '--grace', [CompletionResultType]::ParameterName, 'Time between disabling and deleting; 0 does both in one run')
            [CompletionResult]::new('--warn-before', '--warn-before', [CompletionResultType]::ParameterName, 'Warn of keys that will be over the limit within this time [default: 24h]')
            [CompletionResult]::new('--unused-for', '--unused-for', [CompletionResultType]::ParameterName, 'Disable only keys that were not used for so long')
            [CompletionResult]::new('--exempt-group', '--exempt-group', [CompletionResultType]::ParameterName, 'Members of this group are spared; may be given several times')
            [CompletionResult]::new('--ou', '--ou', [CompletionResultType]::ParameterName, 'Only accounts of this organizational unit and the units below it; may be given several times')
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'This account; may be given several times [default: the caller''s own]')
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'Role to assume in each account [default with --org or another account: keyrot-me-purge]')
            [CompletionResult]::new('--external-id', '--external-id', [CompletionResultType]::ParameterName, 'External id that the role''s trust policy asks for')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Sign with this profile [default: the environment, else AWS_PROFILE, else default]')
            [CompletionResult]::new('--max-affected', '--max-affected', [CompletionResultType]::ParameterName, 'Leave an account untouched where more keys than this would be disabled or deleted: 25% or a number [default: 25% of the scanned keys, at least 10]')
            [CompletionResult]::new('--time-limit', '--time-limit', [CompletionResultType]::ParameterName, 'Stop cleanly after this time and say what is left')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Write a report; .json, .csv or .html; may be given several times')
            [CompletionResult]::new('--period', '--period', [CompletionResultType]::ParameterName, 'How far back the review looks [default: 7d]')
            [CompletionResult]::new('--history', '--history', [CompletionResultType]::ParameterName, 'File with one line for each finished run, which is added; the review shows the trend from it')
            [CompletionResult]::new('--notify', '--notify', [CompletionResultType]::ParameterName, 'Tell people: sns:TOPIC_ARN, ses:FROM_ADDRESS, slack:SOURCE or ticket:SOURCE; may be given several times')
            [CompletionResult]::new('--notify-limit', '--notify-limit', [CompletionResultType]::ParameterName, 'Above so many owners, or tickets, none of them is written to, and the team is told [default: 50]')
            [CompletionResult]::new('--notify-templates', '--notify-templates', [CompletionResultType]::ParameterName, 'Folder with templates that take the place of our own')
            [CompletionResult]::new('--owner-tag', '--owner-tag', [CompletionResultType]::ParameterName, 'User tag that holds the owner''s mail address')
            [CompletionResult]::new('--owner-address', '--owner-address', [CompletionResultType]::ParameterName, 'The owner''s address where the tag says nothing, like {user}@example.com')
            [CompletionResult]::new('--owner-map', '--owner-map', [CompletionResultType]::ParameterName, 'CSV file of owners'' addresses: account,user,address; it goes before the tag, and an account of * is every one')
            [CompletionResult]::new('--team-address', '--team-address', [CompletionResultType]::ParameterName, 'Who is written to where a key has no owner''s address or mail to it bounced before')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Say of one user, or one key id, which rules were asked and what they saw; changes nothing')
            [CompletionResult]::new('--all-users', '--all-users', [CompletionResultType]::ParameterName, 'Every user of the account')
            [CompletionResult]::new('--all-keys', '--all-keys', [CompletionResultType]::ParameterName, 'Every key goes, whatever its age (as --max-age 0)')
            [CompletionResult]::new('--exempt-tag', '--exempt-tag', [CompletionResultType]::ParameterName, 'The user tag keyrot-me/exempt = ''YYYY-MM-DD ticket reason'' spares a user, for at most 90 days')
            [CompletionResult]::new('--org', '--org', [CompletionResultType]::ParameterName, 'All active accounts of the organization')
            [CompletionResult]::new('--allow-empty', '--allow-empty', [CompletionResultType]::ParameterName, 'A group without members, or an organizational unit without accounts, is no error')
            [CompletionResult]::new('--apply', '--apply', [CompletionResultType]::ParameterName, 'Do it; without this nothing is changed')
            [CompletionResult]::new('--report-only', '--report-only', [CompletionResultType]::ParameterName, 'Change nothing and tell how things stand: exempt keys over the limit, exemptions that end, users without an owner''s address, keys by age, what became of keys in --period')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'keyrot-me;completions' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'keyrot-me;man' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Write the page of each command into this folder, which must be there')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on standard output instead of text for people')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No progress on the terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More about what is done; never a secret (-vv: the SDK''s own log too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'keyrot-me;help' {
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Rotate the key of a profile, or finish a rotation that was interrupted')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show the age of keys, their limits and what the next run would do')
            [CompletionResult]::new('finish', 'finish', [CompletionResultType]::ParameterValue, 'Delete retired keys that are past their grace')
            [CompletionResult]::new('rollback', 'rollback', [CompletionResultType]::ParameterValue, 'Within the grace: switch the old key on again and put it back')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Take a key that was made in the console: prove it, store it, and rotate it at once')
            [CompletionResult]::new('store', 'store', [CompletionResultType]::ParameterValue, 'Where keys are kept: the AWS files or the operating system''s keychain')
            [CompletionResult]::new('credential-process', 'credential-process', [CompletionResultType]::ParameterValue, 'Hand a profile''s key to an AWS tool, from the file or the keychain')
            [CompletionResult]::new('schedule', 'schedule', [CompletionResultType]::ParameterValue, 'The timer that rotates by itself: a systemd user timer, a launchd agent or a Windows task')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Look for what would keep a rotation, the timer or a reminder from working, and say how to mend it')
            [CompletionResult]::new('purge', 'purge', [CompletionResultType]::ParameterValue, 'Disable, and later delete, over-age access keys of IAM groups: a dry run unless --apply is given')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Write a completion script to standard output')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write a man page to standard output, or all of them into a folder')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'keyrot-me;help;rotate' {
            break
        }
        'keyrot-me;help;status' {
            break
        }
        'keyrot-me;help;finish' {
            break
        }
        'keyrot-me;help;rollback' {
            break
        }
        'keyrot-me;help;import' {
            break
        }
        'keyrot-me;help;store' {
            [CompletionResult]::new('move', 'move', [CompletionResultType]::ParameterValue, 'Move a profile''s key into the keychain, or back into the credentials file')
            break
        }
        'keyrot-me;help;store;move' {
            break
        }
        'keyrot-me;help;credential-process' {
            break
        }
        'keyrot-me;help;schedule' {
            [CompletionResult]::new('install', 'install', [CompletionResultType]::ParameterValue, 'Install the timer, or change the one that is installed')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show whether the timer is installed, its next and last run, and what came of it')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove the timer and all that belongs to it; no key is touched')
            break
        }
        'keyrot-me;help;schedule;install' {
            break
        }
        'keyrot-me;help;schedule;status' {
            break
        }
        'keyrot-me;help;schedule;remove' {
            break
        }
        'keyrot-me;help;doctor' {
            break
        }
        'keyrot-me;help;purge' {
            break
        }
        'keyrot-me;help;completions' {
            break
        }
        'keyrot-me;help;man' {
            break
        }
        'keyrot-me;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
