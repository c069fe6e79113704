/** Entities of a neighbourhood that is read at most; the nearest are taken first. */
export const MOST_NODES = 500
