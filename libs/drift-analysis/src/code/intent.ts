/** What words about a change say it was made for. A subject of an earlier change, a comment or a ticket may hold several intents. */
export const INTENTS = {
  emergency:
    /\b(?:hot-?fix|urgent(?:ly)?|incident|outage|emergency|asap|down|oom|out of memory|crash(?:es|ed|ing|loop)?|overload(?:ed)?|unresponsive|degraded|on-?call|pager|fall(?:en|ing)? over|exhaust(?:ed|ion)|alert(?:s|ing)? firing|high (?:load|cpu|memory)|sev ?[012]|p[01])\b/i,
  trouble:
    /\b(?:debug(?:ging)?|test(?:s|ing)?|try(?:ing)?|tried|trial|experiment(?:al|ing)?|investigat\w+|troubleshoot\w*|see if|check(?:ing)?|verbose|trace|diagnos\w+|another (?:go|attempt)|attempt(?:ing)?|wip|maybe|hopefully|again|still|not sure|why)\b/i,
  security:
    /\b(?:cve(?:-\d+)?s?|usn|vulnerab\w+|security (?:fix|patch|update|advisory|issue|finding)\w*|exploit\w*|attack\w*|malicious|abus(?:e|ive|ing)|leak(?:ed|s)?|compromis\w+|ddos|brute|block(?:ed|ing|list)?|ban(?:ned)?|deny|revoke\w*|rotat\w+|harden\w*|log4(?:j|shell)|heartbleed|shellshock|spectre|meltdown|waf|guardduty|spam|bots?net|scrap(?:er|ing)|patch(?:ed|es)?)\b/i,
  mistake:
    /\b(?:fix(?:es|ed|ing|up)?|typos?|wrong(?:ly)?|missing|missed|correct(?:s|ed|ing|ly|ion)?|incorrect\w*|mistake\w*|bad|bug|broken?|invalid|syntax|misspell\w*|should (?:be|have)|forgot(?:ten)?|oops|error|mis-?config\w*|accident\w*|duplicate)\b/i,
  automated:
    /\b(?:bot|dependabot|renovate|automat(?:ed|ic|ically)|auto-?(?:update|merge|generated)|generated|ci skip|skip ci|code formatters?|pipeline|workflow:|chore\(deps\)|snyk|github[- ]actions?)\b/i,
  bump: /\b(?:bump(?:s|ed|ing)?|upgrad\w+|updat(?:e|es|ing) .*\b(?:version|to v?\d)|to v?\d+\.\d+)/i,
  override:
    /\b(?:ignor\w+|exempt\w*|temp(?:orar(?:y|ily))?|pin(?:s|ned|ning)?|bypass\w*|work-?around\w*|disabl\w+|skip\w*|allow-?list\w*|whitelist\w*|suppress\w*|exclud\w+|override\w*|hack|for now|until|turn(?:ed|ing)? off|switch(?:ed|ing)? off|stop(?:ped|ping)?|downgrad\w+|hold(?:ing)? back|relax\w*|silenc\w+|mut(?:e|ed|ing)|comment(?:ed|ing)? out)\b/i,
  revert:
    /\b(?:re-?vert(?:s|ed|ing)?|roll(?:ed|ing)? ?back|undo(?:ing)?|back ?out|put(?:ting)? back|restor\w+|re-?(?:add|enable|instate|apply|introduce)\w*)\b/i,
} as const satisfies Record<string, RegExp>
export type Intent = keyof typeof INTENTS

export const intentsOf = (text: string): Readonly<Record<Intent, number>> =>
  Object.fromEntries(Object.entries(INTENTS).map(([name, pattern]) => [name, pattern.test(text) ? 1 : 0])) as Record<
    Intent,
    number
  >
