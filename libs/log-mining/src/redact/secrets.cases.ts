/** Makes secrets from the recipes of secret-rules.ts. */
const SMALL = 'abcdefghijklmnopqrstuvwxyz'
const UNITS: Readonly<Record<string, string>> = {
  a: `${SMALL}${SMALL.toUpperCase()}0123456789`,
  U: `${SMALL.toUpperCase()}234567`,
  h: '0123456789abcdef',
  d: '0123456789',
  l: `${SMALL}0123456789`,
  w: `${SMALL}${SMALL.toUpperCase()}0123456789_`,
}

/** The text of a recipe, and the random parts of eight characters and more in it. `random` gives numbers from 0 to 1. */
export function fill(recipe: string, random: () => number): { text: string; parts: string[] } {
  const parts: string[] = []
  const text = recipe.replaceAll('{$}', '$').replace(/\{([aUhdlw])(\d+)\}/g, (_, unit: string, count: string) => {
    const from = UNITS[unit]
    let part = ''
    for (let i = 0; i < Number(count); i++) part += from[Math.floor(random() * from.length)]
    if (part.length >= 8) parts.push(part)
    return part
  })
  return { text, parts }
}
