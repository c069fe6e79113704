/** Names in times: months and weekdays in the languages that loggers write them in, and the zones that have a name. */

/** English, German, French, Spanish, Portuguese, Italian, Dutch, Swedish: full names and the abbreviations of CLDR, without case and full stop. */
const MONTH_NAMES = [
  'jan january januar janv janvier ene enero januari januar gennaio gen janeiro',
  'feb february februar fév févr février febr febrero februari febbraio fev fevereiro',
  'mar march mär märz mrz mars marzo maart mrt março maart',
  'apr april avr avril abr abril aprile',
  'may mai mayo maj mei maggio mag maio',
  'jun june juni juin junio giugno giu junho',
  'jul july juli juil juillet julio luglio lug julho',
  'aug august août aoû agosto ago augustus augusti',
  'sep sept september septembre septiembre settembre set setembro',
  'oct october okt oktober octobre octubre ottobre ott out outubro',
  'nov november novembre noviembre novembro',
  'dec december dez dezember déc décembre dic diciembre dicembre dezembro',
]
const WEEKDAY_NAMES =
  'mon monday tue tues tuesday wed wednesday thu thur thurs thursday fri friday sat saturday sun sunday mo montag di dienstag mi mittwoch do donnerstag fr freitag sa samstag sonnabend so sonntag lun lundi mardi mer mercredi jeu jeudi ven vendredi sam samedi dim dimanche lunes martes mié miércoles jue jueves vie viernes sáb sábado dom domingo seg segunda ter terça qua quarta qui quinta sex sexta lunedì martedì mercoledì gio giovedì venerdì sabato domenica ma maandag dinsdag wo woensdag donderdag vr vrijdag za zaterdag zo zondag'

const MONTHS = new Map<string, number>(MONTH_NAMES.flatMap((names, i) => names.split(' ').map(name => [name, i] as const)))
const WEEKDAYS = new Set(WEEKDAY_NAMES.split(' '))

/** Month of a name, from 0. */
export const monthNamed = (name: string): number | undefined => MONTHS.get(name) ?? MONTHS.get(name.toLowerCase())
export const isWeekday = (name: string): boolean => WEEKDAYS.has(name) || WEEKDAYS.has(name.toLowerCase())

/** Minutes east of UTC. Only whole names count, and no level begins with one. */
export const ZONES: Readonly<Record<string, number>> = {
  UTC: 0,
  GMT: 0,
  UCT: 0,
  Z: 0,
  z: 0,
  WET: 0,
  WEST: 60,
  CET: 60,
  CEST: 120,
  MEZ: 60,
  MESZ: 120,
  EET: 120,
  EEST: 180,
  BST: 60,
  SAST: 120,
  TRT: 180,
  MSK: 180,
  IST: 330,
  PKT: 300,
  ICT: 420,
  WIB: 420,
  HKT: 480,
  SGT: 480,
  AWST: 480,
  JST: 540,
  KST: 540,
  ACST: 570,
  ACDT: 630,
  AEST: 600,
  AEDT: 660,
  NZST: 720,
  NZDT: 780,
  BRT: -180,
  ART: -180,
  AST: -240,
  ADT: -180,
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
  AKST: -540,
  AKDT: -480,
  HST: -600,
}
