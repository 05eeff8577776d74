import { expect, it } from 'vitest'
import { en } from './en'
import { fa } from './fa'
import { Problem } from '../api/problem'
import { problemText } from './problem-text'

interface Words { words: Record<string, unknown> }
const parts = import.meta.glob<Words>('../*/words.*.ts', { eager: true })
const texts = import.meta.glob<string>(['../*/words.*.ts', './problems.*.ts'], { eager: true, query: '?raw', import: 'default' })

/** Every key and what kind of thing is there: `desk.title: string`. */
const shape = (words: object, at = ''): string[] =>
  Object.entries(words).flatMap(([key, value]) =>
    value !== null && typeof value === 'object' ? shape(value as object, `${at}${key}.`) : [`${at}${key}: ${typeof value}`])

it('given both languages when compared then each says everything that the other says', () => {
  expect(shape(en).toSorted()).toEqual(shape(fa).toSorted())
})

it.each(['fa', 'en'])('given the features’ words (%s) when put together then no two have one name, and none is left out', (code) => {
  const mine = Object.entries(parts).filter(([path]) => path.endsWith(`words.${code}.ts`))
  const names = mine.flatMap(([, { words }]) => Object.keys(words))
  expect(names).toHaveLength(new Set(names).size)
  expect([...names, 'problem'].toSorted()).toEqual(Object.keys(code === 'fa' ? fa : en).toSorted())
})

it.each([fa, en])('given what went wrong when told then it is said in words, and an unknown code too', (text) => {
  expect(problemText(text, new Problem('no-desk', 409))).toBe(text.problem['no-desk'])
  expect(problemText(text, new Problem('from-tomorrow', 409))).toBe(text.problem.unknown)
  expect(problemText(text, new Error('anything'))).toBe(text.problem.unknown)
})

it.each([fa, en])('given what messages are about and become when chosen by in a list then no two are called alike', ({ citizens: { messages, delivery } }) => {
  for (const of of [messages, delivery]) expect(new Set(Object.values(of)).size).toBe(Object.keys(of).length)
})

it('given a command for a terminal when a page shows it then its digits are Latin: it stands in no words', () => {
  expect(Object.keys(texts).length).toBeGreaterThan(20)
  expect(Object.entries(texts).filter(([, text]) => /hotline137/i.test(text)).map(([path]) => path)).toEqual([])
})
