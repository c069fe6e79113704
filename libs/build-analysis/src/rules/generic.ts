import { rulesOf } from './rule.ts'

/** What many tools write in one form: an exception and its text, a numbered failure, a rule's code. Tried after all others. */
export const generic = [
  ...rulesOf('', [
    [
      '-failed',
      /returned (?:a )?non-?zero exit (?:status|code)|CalledProcessError|\bexit(?:ed)?(?: with)?(?: code| status)[: ]+\d+|^\S*Error: (?:Command failed|.* \d+\/\d+ failed)|^Command .* failed\b|recipe for target .* failed|See above for (?:more )?details/,
      "subprocess.CalledProcessError: Command 'make' returned non-zero exit status 2.",
      0.3,
    ],
    [
      'exception',
      /^(?:Exception in thread "[^"]*" )?(?:[a-z_][\w]*\.)+[A-Z][\w$]*(?:Exception|Error|Failure)(?:: .*)?$/,
      'java.lang.IllegalStateException: no price',
      0.72,
    ],
    [
      'exception',
      /^(?:[a-z_][\w]*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit|NotFound|DoesNotExist|Fault)(?:: .*)?$/,
      "KeyError: 'price'",
      0.75,
    ],
    ['lint', /^[A-Z]{1,4}\d{2,4} (?:\[\*\] )?\S.*$/, 'F401 [*] `os` imported but unused', 0.6],
    ['assertion', /^\s*\d+\) .+$/, '  1) cart adds prices:', 0.6],
    ['exception', /^\s*(?:Uncaught |Unhandled )?Error: \S/, 'Error: price must be positive', 0.65],
    ['failed', /^error: \S/, 'error: the price is gone', 0.6],
    ['failed', /^\[error\] \S/, '[error] price went away', 0.5],
    ['exception', /^(?:\s*> )?Error in .+/, 'Error in add(1) : object not found', 0.65],
  ]),
]
