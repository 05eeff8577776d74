import { expect, it } from 'vitest'
import tokens from './tokens.css?raw'

const sources = import.meta.glob<string>(
  ['./**/*.css', './**/*.tsx', './**/*.ts', '!./**/*.test.ts'], { query: '?raw', import: 'default', eager: true },
)
/** Mantine's shades; and where paper is always white. */
const HAS_COLOURS = ['./tokens.css', './theme.ts']
const COLOUR = /#[0-9a-f]{3}\b|#[0-9a-f]{6}\b|\brgba?\(|--mantine-color-(?:turquoise|brick|amber|violet|red|gray)-\d/i

const withoutPrint = (source: string) => source.replace(/@media print \{[\s\S]*?\n\}/g, '')

it('given the sources of the pages when they name a colour then it is a token', () => {
  const wrong = Object.entries(sources).filter(([name, source]) => !HAS_COLOURS.includes(name) && COLOUR.test(withoutPrint(source)))
  expect(wrong.map(([name]) => name)).toEqual([])
})

/** Read from afar: they follow the screen (docs/look.md). */
const FROM_AFAR = ['./official/official.module.css', './wallboard/wallboard.module.css']
const SIZE = /font-size: ([^;]+);|fontSize: '?([^',}]+)/g
const TOKEN = String.raw`var\(--text-(?:s|m|l|xl|2xl)\)`
const IN_SCALE = new RegExp(`^(?:${TOKEN}|clamp\\(${TOKEN}, [\\d.]+vw, ${TOKEN}\\)|inherit)$`)

it('given the sources of the pages when letters have a size then it is one of the five', () => {
  const wrong = Object.entries(sources).filter(([name]) => !FROM_AFAR.includes(name)).flatMap(([name, source]) =>
    [...withoutPrint(source).matchAll(SIZE)].map(([, css, inCode = '']) => css ?? inCode).filter((size) => !IN_SCALE.test(size)).map((size) => `${name} ${size}`))
  expect(wrong).toEqual([])
})

it('given a token of the light room when the dark one is drawn then it has it, too', () => {
  const [, light = '', dark = ''] = tokens.split(/\[data-scheme='(?:light|dark)'\] \{/)
  const names = (rules: string) => [...rules.split('\n}')[0]?.matchAll(/^ {2}(--[\w-]+):/gm) ?? []].map(([, name]) => name)
  expect(names(light).length).toBeGreaterThan(30)
  expect(names(dark)).toEqual(names(light))
})

it('given a token of ours when a page uses it then it is there', () => {
  const made = new Set([...Object.values(sources).join('\n').matchAll(/(--[\w-]+)['"`]?\]?:/g)].map(([, name]) => name))
  const used = Object.entries(sources).flatMap(([file, source]) => [...source.matchAll(/var\((--(?!mantine|city|button)[\w-]+)\)/g)].map(([, name]) => `${file} ${String(name)}`))
  expect(used.filter((one) => !made.has(one.split(' ')[1]))).toEqual([])
})

it('given a state that asks for somebody when it is shown then it has a colour of its own', () => {
  const tone = (state: string) => new RegExp(`\\[data-call='${state}'\\] \\{\\s+--tone: var\\((--[\\w-]+)\\)`).exec(tokens)?.[1]
  const asking = ['calling', 'waiting', 'talking', 'held', 'after'].map(tone)
  expect(asking).not.toContain(undefined)
  expect(new Set(asking).size).toBe(5)
})
