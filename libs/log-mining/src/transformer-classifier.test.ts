import { expect, it } from 'vitest'
import { TransformerClassifier } from './transformer-classifier.ts'

it('names the package and the command where it is not installed', async () => {
  await expect(TransformerClassifier.load({ model: '/nowhere', from: '/nowhere/package.json' })).rejects.toThrow(
    /needs the package @huggingface\/transformers, which is not installed \(470 MB\): npm install --no-save --ignore-scripts @huggingface\/transformers@\d/,
  )
})
