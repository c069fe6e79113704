import { rulesOf } from './rule.ts'

/** pytest, unittest and what runs under them; imports, drivers, frameworks; pip, poetry, uv, conda; mypy, ruff, flake8, black, bandit, sphinx. */
export const python = [
  ...rulesOf('pip', [
    ['resolution', /^\s*ERROR: No matching distribution found for \S+/, 'ERROR: No matching distribution found for leftpad==9.9'],
    [
      'resolution',
      /Could not find a version that satisfies the requirement/,
      'ERROR: Could not find a version that satisfies the requirement leftpad==9.9 (from versions: 1.0)',
    ],
    [
      'resolution',
      /^ERROR: (?:Cannot install .* because these package versions have conflicting|ResolutionImpossible)/,
      'ERROR: Cannot install a==1 and b==2 because these package versions have conflicting dependencies.',
    ],
    [
      'resolution',
      /requires .*, but you(?:'ll)? have .* which is incompatible/,
      'web 2.0 requires idna<3, but you have idna 3.4 which is incompatible.',
      0.6,
    ],
    [
      'resolution',
      /requires a different Python|Requires-Python .* not in/,
      "ERROR: Package 'web' requires a different Python: 3.7.1 not in '>=3.9'",
    ],
    [
      'resolution',
      /ERROR: Failed building wheel for \S+|ERROR: Failed to build installable wheels|error: metadata-generation-failed/,
      'ERROR: Failed building wheel for lxml',
      0.7,
    ],
    [
      'lock',
      /THESE PACKAGES DO NOT MATCH THE HASHES/,
      'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.',
    ],
    [
      'config',
      /ERROR: Could not open requirements file|does not appear to be a Python project|ERROR: Invalid requirement/,
      "ERROR: Could not open requirements file: [Errno 2] No such file or directory: 'requirements.txt'",
    ],
    ['environment', /externally-managed-environment/, 'error: externally-managed-environment'],
    [
      '-resolution',
      /^(?:ERROR|error): (?:subprocess-exited-with-error|Command errored out)/,
      'error: subprocess-exited-with-error',
    ],
  ]),
  ...rulesOf('poetry', [
    [
      'lock',
      /(?:pyproject\.toml changed significantly since poetry\.lock|poetry\.lock is not up to date|lock file .* (?:out of date|not compatible))/,
      'pyproject.toml changed significantly since poetry.lock was last generated. Run `poetry lock` to fix the lock file.',
    ],
    [
      'resolution',
      /^\s*(?:Because .* (?:depends on|requires) .*|.*version solving failed)/,
      'So, because app depends on both web (2.0) and idna (3.4), version solving failed.',
    ],
    ['resolution', /SolverProblemError/, '  SolverProblemError'],
  ]),
  ...rulesOf('uv', [
    ['resolution', /No solution found when resolving/, '  × No solution found when resolving dependencies:'],
    [
      'lock',
      /lockfile at .* needs to be updated/,
      'error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.',
    ],
    [
      'network',
      /error: (?:Error while fetching|Failed to (?:fetch|download))|error sending request for url/,
      'error: Failed to fetch: `https://files.example.org/a.whl`',
    ],
  ]),
  ...rulesOf('conda', [
    [
      'resolution',
      /(?:UnsatisfiableError|PackagesNotFoundError|ResolvePackageNotFound|LibMambaUnsatisfiableError)/,
      'PackagesNotFoundError: The following packages are not available from current channels:',
    ],
  ]),
  ...rulesOf('pytest', [
    ['missingModule', /^E\s+(?:ModuleNotFoundError|ImportError): /, "E   ModuleNotFoundError: No module named 'yaml'"],
    ['compile', /^E\s+(?:SyntaxError|IndentationError|TabError): /, 'E   SyntaxError: invalid syntax'],
    ['config', /^E\s+fixture '.*' not found|^E\s+.*ScopeMismatch/, "E       fixture 'client' not found"],
    [
      'unavailable',
      /^E\s+.*(?:Connection ?refused|ECONNREFUSED|could not connect to server|Error \d+ connecting to|ServiceUnavailable)/i,
      'E   ConnectionRefusedError: [Errno 111] Connection refused',
    ],
    [
      'network',
      /^E\s+.*(?:Name or service not known|Temporary failure in name resolution|ReadTimeout|ConnectTimeout|SSLError)/,
      'E   socket.gaierror: [Errno -3] Temporary failure in name resolution',
    ],
    ['testTimeout', /^E\s+(?:Failed: Timeout|.*\bTimeoutError\b|.*timed out)/, 'E   Failed: Timeout >30.0s'],
    [
      'memory',
      /^E\s+.*(?:OutOfMemoryError|MemoryError|CUDA out of memory)/,
      'E   torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB',
    ],
    ['assertion', /^E\s+(?:AssertionError\b|assert |Failed: )/, 'E       assert 3 == 4'],
    [
      'exception',
      /^E\s+[A-Za-z_][\w.]*(?:Error|Exception|Warning|Exit|Interrupt|Fault|NotFound|DoesNotExist|Missing|Refused|Required|Invalid)\b/,
      "E   KeyError: 'price'",
    ],
    ['assertion', /^FAILED (?:\[[\d.]+s\] )?[^\s(]+/, 'FAILED tests/test_cart.py::test_total - assert 3 == 4', 0.7],
    [
      'exception',
      /^ERROR (?:collecting )?\S+\.py(?:::\S+)?(?: - .*)?$/,
      "ERROR tests/test_cart.py - ModuleNotFoundError: No module named 'yaml'",
      0.7,
    ],
    [
      'config',
      /^(?:ERROR: (?:usage:|not found:|file or directory not found|unrecognized arguments)|.*error: unrecognized arguments)/,
      'ERROR: file or directory not found: tests/',
    ],
    [
      '-assertion',
      /^FAIL Required test coverage of/,
      'FAIL Required test coverage of 90% not reached. Total coverage: 88.10%',
      0.85,
    ],
    [
      'exception',
      /^_{4,} (?:ERROR (?:collecting|at setup of|at teardown of) )?\S.* _{4,}$/,
      '_________________ ERROR collecting tests/test_cart.py __________________',
      0.4,
    ],
    ['crash', /worker '?gw\d+'? crashed|Fatal Python error:/, "worker 'gw1' crashed while running 'tests/test_a.py::test_b'"],
    [
      '-assertion',
      /^=+ .*\b(?:\d+ (?:failed|errors?)|FAILURES|ERRORS|short test summary).* =+$|^!+ .* !+$|^\d+ failed, /,
      '=========== 1 failed, 12 passed in 3.21s ===========',
      0.15,
    ],
  ]),
  ...rulesOf('unittest', [
    ['assertion', /^FAIL: \w+ \(/, 'FAIL: test_total (cart.tests.CartTest)', 0.6],
    ['assertion', /^FAIL: (?:Doctest: )?[\w.]+/, 'FAIL: Doctest: shop.cart.total', 0.6],
    ['exception', /^ERROR: \w+ \(/, 'ERROR: test_total (cart.tests.CartTest)', 0.6],
    ['missingModule', /^(?:\w+\.)*(?:ModuleNotFoundError|ImportError): /, "ModuleNotFoundError: No module named 'yaml'"],
    ['compile', /^(?:SyntaxError|IndentationError|TabError): /, 'SyntaxError: invalid syntax'],
    ['assertion', /^AssertionError\b(?!: Timed out)/, 'AssertionError: 3 != 4'],
    ['memory', /^(?:[\w.]+\.)?(?:MemoryError|OutOfMemoryError)\b/, 'MemoryError'],
    [
      'unavailable',
      /^(?:[\w.]+\.)?(?:ConnectionRefusedError|OperationalError|ServiceUnavailable|InterfaceError|CannotConnectNowError)\b/,
      'sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) could not connect to server',
    ],
    [
      'network',
      /^(?:[\w.]+\.)?(?:gaierror|SSLError|ConnectTimeout|ReadTimeout|ConnectionError|MaxRetryError|NewConnectionError|URLError|IncompleteRead|RemoteDisconnected)\b/,
      'requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host=x)',
    ],
    [
      'external',
      /^(?:[\w.]+\.)?HTTPError: (?:HTTP Error )?(?:5\d\d|429)/,
      'urllib.error.HTTPError: HTTP Error 503: Service Unavailable',
    ],
    [
      'access',
      /^(?:[\w.]+\.)?(?:HTTPError: (?:HTTP Error )?40[13]|NoCredentialsError|PermissionError|AuthenticationError)\b/,
      'botocore.exceptions.NoCredentialsError: Unable to locate credentials',
    ],
    ['testTimeout', /^(?:[\w.]+\.)?TimeoutError\b/, 'asyncio.exceptions.TimeoutError'],
    [
      'config',
      /^(?:[\w.]+\.)?(?:ImproperlyConfigured|AppRegistryNotReady|ConfigError|UsageError)\b/,
      'django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.',
    ],
    [
      'exception',
      /^RuntimeError: (?:This event loop is already running|Event loop is closed|no running event loop)/,
      'RuntimeError: Event loop is closed',
    ],
    ['exception', /RuntimeWarning: coroutine '.*' was never awaited/, "RuntimeWarning: coroutine 'fetch' was never awaited", 0.4],
    [
      'exception',
      /^(?:pydantic(?:_core)?\.)?(?:[\w.]+\.)?ValidationError: \d+ validation error/,
      'pydantic_core._pydantic_core.ValidationError: 1 validation error for Order',
    ],
    ['-exception', /^Traceback \(most recent call last\):/, 'Traceback (most recent call last):', 0.3],
    ['-assertion', /^FAILED \((?:failures|errors|skipped|unexpected)/, 'FAILED (failures=1, errors=2)', 0.15],
  ]),
  ...rulesOf('mypy', [
    [
      'lint',
      /^[^\s:]+\.pyi?:\d+(?::\d+)?: error: /,
      'shop/cart.py:12: error: Incompatible return value type (got "str", expected "int")  [return-value]',
    ],
    ['-lint', /^Found \d+ errors? in \d+ files?/, 'Found 1 error in 1 file (checked 12 source files)'],
  ]),
  ...rulesOf('ruff', [
    ['lint', /^[^\s:]+\.pyi?:\d+:\d+:? [A-Z]{1,4}\d{2,4}\b/, 'shop/cart.py:1:8: F401 [*] `os` imported but unused'],
    ['lint', /^(?:would reformat |Would reformat: |error: cannot format )/, 'Would reformat: shop/cart.py'],
    [
      'lint',
      /^ERROR: .*\.py Imports are incorrectly sorted/,
      'ERROR: /src/shop/cart.py Imports are incorrectly sorted and/or formatted.',
    ],
    [
      '-lint',
      /^\d+ files? would be reformatted|^Found \d+ errors?\.$|^Oh no!/,
      '1 file would be reformatted, 12 files would be left unchanged.',
    ],
    ['lint', /^[^\s:]+\.py:\d+:\d+: [CRWEF]\d{4}: /, 'shop/cart.py:3:0: W0611: Unused import os (unused-import)'],
  ]),
  ...rulesOf('bandit', [
    [
      'vulnerability',
      /^>> Issue: \[B\d+/,
      '>> Issue: [B602:subprocess_popen_with_shell_equals_true] subprocess call with shell=True identified, security issue.',
    ],
    ['vulnerability', /^(?:\S+\s+){1,3}(?:PYSEC-[\d-]+|GHSA-[\w-]+|CVE-\d+-\d+)/, 'jinja2 2.11.2 PYSEC-2021-66 2.11.3'],
    ['leak', /Found (?:verified|unverified) result|🐷🔑|leaks found: [1-9]|Secret(?:s)? detected/, 'Found verified result 🐷🔑'],
  ]),
  ...rulesOf('sphinx', [
    [
      'docs',
      /^(?:\S+\.(?:rst|md|py|txt)(?::.*)?:\d+: )(?:WARNING|ERROR|SEVERE): /,
      'docs/index.rst:12: WARNING: unknown document: missing',
    ],
    ['docs', /^(?:Extension error|Sphinx error|Configuration error):/, 'Sphinx error:', 0.6],
  ]),
  ...rulesOf('pre-commit', [
    ['lint', /^- hook id: \S+/, '- hook id: trailing-whitespace', 0.6],
    ['lint', /^.+\.{3,}.*Failed$/, 'trim trailing whitespace.................................................Failed', 0.8],
    ['lint', /^(?:Fixing|fixed|reformatted) \S+|^- files were modified by this hook/, 'Fixing docs/readme.md', 0.7],
  ]),
]
