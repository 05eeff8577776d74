import { expect, it } from 'vitest'
import { en } from './words.en'
import { fa } from './words.fa'

const names = (words: object, path = ''): string[] =>
  Object.entries(words).flatMap(([name, word]: [string, unknown]) =>
    typeof word === 'object' && word ? names(word, `${path}${name}.`) : [`${path}${name}:${typeof word}`])

it('given the words of the app when the languages are compared then each has all', () => {
  expect(names(en)).toEqual(names(fa))
})
