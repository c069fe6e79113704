declare module 'snappyjs' {
  /** Snappy's block format. Throws on what is none, and where the length it declares is above `maxLength`. */
  export function uncompress(input: Uint8Array, maxLength?: number): Uint8Array
  export function compress(input: Uint8Array): Uint8Array
}
