import { rulesOf } from './rule.ts'

/** What CI systems say of their own: lost runners, limits, cancelling, settings; shells; checks of pull requests; how a step ended. */
export const runners = [
  ...rulesOf('runner', [
    [
      'runner',
      /The (?:self-hosted )?runner: .* lost communication|The runner has received a shutdown signal|runner (?:system failure|is offline)|The hosted runner encountered an error|Agent .* (?:lost|went offline|was lost)|Remote call on .* failed|The agent (?:has )?stopped|slave went offline|Cannot contact .*: java|spot (?:instance )?(?:interruption|terminat)/i,
      'The hosted runner encountered an error while running your job.',
      0.9,
    ],
    [
      'timeLimit',
      /(?:The (?:job|action|operation).* (?:has )?(?:exceeded|timed out)|exceeded the maximum (?:execution time|time limit)|execution took longer than|The job running on .* has exceeded|No output has been received in the last|job exceeded the maximum|Build timed out|Timeout has been exceeded|context deadline exceeded \(job|Too long with no output|The step has (?:exceeded|timed out)|ran longer than the maximum time)/,
      'The job running on runner a has exceeded the maximum execution time of 360 minutes.',
      0.9,
    ],
    [
      'timeLimit',
      /(?:exit(?:ed with)?(?: code| status)?|code|returning)[: =]*124\b/,
      'Error: Process completed with exit code 124.',
      0.6,
    ],
    [
      'cancelled',
      /The operation was cancell?ed|The run was cancell?ed|received SIG(?:INT|TERM)|Received SIG(?:INT|TERM)|was cancell?ed by|Canceling since a higher priority|Aborted by |Build was aborted|KeyboardInterrupt/,
      'The operation was canceled.',
      0.5,
    ],
    [
      'config',
      /(?:Unable to resolve action|Invalid workflow file|Unexpected input\(s\)|The workflow is not valid|Can't find 'action\.yml'|Unable to process file command|Error when evaluating|is not defined in|template is not valid|Unrecognized (?:named-value|function)|yaml(?:\.scanner)?[.: ].*(?:error|could not find)|did not find expected|mapping values are not allowed|This request has been automatically failed because it uses a deprecated version|Missing download info for)/,
      'Unable to resolve action `shop/price@v9`, unable to find version `v9`',
      0.88,
    ],
    [
      'external',
      /Unable to download (?:artifact|action)|Failed to download (?:action|archive)|Failed to (?:save|restore).*cache service|Failed to FinalizeArtifact|Failed to CreateArtifact|Artifact not found for name|Failed to (?:GetSignedArtifactURL|ListArtifacts)/,
      "Failed to download archive 'https://code.example.org/a.tar.gz' after 3 attempts.",
      0.85,
    ],
    [
      'noise',
      /^##\[warning\]|^::warning|^WARNING: (?:Failed to (?:restore|extract) cache|.*no matching files)|Cache not found|Failed to restore cache|No files were found with the provided path|^##\[debug\]/,
      '##[warning]No files were found with the provided path: out/',
    ],
    [
      '-failed',
      /^(?:##\[error\]|Error: |ERROR: )?(?:Process completed with exit code|Process exited with|The process '.*' failed with exit code|Job failed: exit (?:code|status)|script returned exit code|Cmd\.exe exited with code|Bash exited with code|The command ".*" (?:failed(?: and)?|exited)|Exited with code exit status|🚨 Error: The command exited|Command failed with exit code|Build step .* marked build as failure|Finished: FAILURE|Done\. Your build exited with [1-9]|Your build has been stopped|ERROR: Job failed|Cleaning up project directory|The build (?:failed|phase was set)|issues found)/,
      '##[error]Process completed with exit code 1.',
      0.12,
    ],
  ]),
  ...rulesOf('shell', [
    ['missingModule', /python\S*: No module named |: error: .*: No module named/, '/usr/bin/python3: No module named pip', 0.88],
    [
      'environment',
      /(?:^|: )(?:line \d+: )?\S+: (?:command )?not found$|: command not found|is not recognized as (?:an internal|the name of)|executable file not found in|No such command|exec format error|cannot execute binary file|exit(?:ed with)?(?: code| status)?[: =]*127\b|cannot open shared object file|GLIBC(?:XX)?_[\d.]+' not found|version `.*' not found/,
      'bash: line 1: pricetool: command not found',
      0.85,
    ],
    [
      'config',
      /(?:^|: )(?:line \d+: )?\S.*: No such file or directory|can't (?:open|find|cd)\b.*|unbound variable|syntax error near|bad substitution|unexpected EOF while looking|^(?:Usage|usage): .*error|unrecognized (?:option|arguments?)|(?:illegal|invalid|unknown) (?:option|switch|flag|argument|command)/i,
      'bash: ./price.sh: No such file or directory',
      0.65,
    ],
    ['config', /does not exist|(?:file|directory|path) not found|ENOENT/i, 'the path out/ does not exist', 0.5],
    [
      'config',
      /Missing (?:required )?(?:environment|env) variable|required (?:environment )?variable|environment variable .* (?:is )?(?:not set|missing|required)|(?:config(?:uration)?|setting|option) .*(?:is )?(?:invalid|missing|not valid|required)/i,
      'Missing required environment variable PRICE_URL',
      0.8,
    ],
    ['config', /KeyError: '[A-Z][A-Z_]{3,}'/, "KeyError: 'PRICE_URL'", 0.8],
    ['noise', /^(?:\+ )?(?:if|for|while|echo|export|grep|rm|set|test|trap) .*(?:error|fail)/, '+ echo "error handling"'],
  ]),
  ...rulesOf('checks', [
    [
      'compliance',
      /(?:^(?:##\[error\])?(?:Error: )?Please (?:add|update|include|provide|describe|sign|rebase)|must (?:have|contain|include|be (?:signed|updated|labeled))|is (?:missing|required) (?:in|for) (?:the )?(?:pull request|PR|changelog|title)|\bDCO\b)/i,
      'Please add a changelog entry for this pull request.',
      0.5,
    ],
    [
      'compliance',
      /(?:working (?:tree|directory|copy)) (?:is |was )?(?:dirty|not clean)|uncommitted changes|(?:files?|code) (?:is|are) (?:out of date|not (?:up to date|formatted|generated))|generated (?:files?|code) .* (?:stale|differ|changed)|(?:more|larger|longer) than the (?:maximum|limit|allowed)|exceeds? the (?:maximum|limit|allowed)|Unexpected changes/i,
      'Error: working directory is not clean after generate',
      0.8,
    ],
    [
      'docs',
      /(?:[Bb]roken|[Dd]ead) links?|^\s*\[(?:✖|4\d\d|ERROR|404)\]\s+https?:|links? (?:is|are) broken|✖.*→ Status: \d+/,
      '[✖] https://example.org/missing → Status: 404',
      0.75,
    ],
    [
      'vulnerability',
      /(?:CVE-\d{4}-\d{3,}|GHSA-[\w-]{10,}|RUSTSEC-\d{4}-\d+).*|(?:critical|high) severity vulnerabilit/i,
      'CVE-2024-1234 in price 1.0: high',
      0.7,
    ],
    [
      'leak',
      /(?:leaks? (?:found|detected)|secret(?:s)? (?:found|detected)|hardcoded (?:secret|password))/i,
      'WRN leaks found: 2',
      0.8,
    ],
    [
      'licence',
      /(?:license|licence)\b.*(?:not allowed|denied|unapproved|incompatible|header (?:missing|not))|(?:missing|no|without|invalid) (?:the |a )?(?:license|licence|copyright)/i,
      'GPL-3.0 license is not allowed for price',
      0.8,
    ],
    [
      'assertion',
      /coverage .*(?:below|less than|decreased|under|lower than)|(?:benchmark|performance|size|budget).*(?:regress|exceed|larger than|over)/i,
      'Coverage 79% is below the minimum 80%',
      0.7,
    ],
  ]),
]
