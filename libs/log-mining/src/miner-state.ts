/** A group as it stands in a snapshot: a short list, its name left out since the words give it. */
import { emptyGroup, type Group, name } from './group.ts'

type Packed = [
  count: number,
  used: number,
  hashes: number[],
  words: string[],
  spaced: number[],
  shapes: number[],
  kinds: number[],
]

export function packGroup(group: Group): Packed {
  return [group.count, group.used ? 1 : 0, group.hashes, group.words, group.spaced.map(Number), group.shapes, group.kinds]
}

export function unpackGroup([count, used, hashes, words, spaced, shapes, kinds]: Packed): Group {
  const group: Group = { ...emptyGroup(0), count, used: used === 1, hashes, words, spaced: spaced.map(Boolean), shapes, kinds }
  name(group)
  return group
}
