import { expect, it } from 'vitest'
import { verdictOfCheck, type CheckResult } from './check-run'
import { isEcho, microphoneOf, momentOf, TONE, type Moment } from './check-sound'

const RATE = 48_000
const samples = (of: (seconds: number) => number) => Float32Array.from({ length: 2_048 }, (_, place) => Math.max(-1, Math.min(1, of(place / RATE))))
const wave = (hertz: number, volume: number) => (seconds: number) => volume * Math.sin(2 * Math.PI * hertz * seconds)
const moment = (of: (seconds: number) => number) => momentOf(samples(of), RATE)
const many = (one: Moment, count = 40) => Array.from({ length: count }, () => one)

const NOTHING = moment(() => 0)
const VOICE = moment(wave(220, 0.2))

it('given a tone when looked at then it is as loud as it is, and found among others', () => {
  expect(moment(wave(TONE, 0.1)).tone).toBeCloseTo(-23, 0)
  expect(moment(wave(220, 0.5)).tone).toBeLessThan(-60)
  expect(moment((at) => wave(TONE, 0.1)(at) + wave(1_000, 0.4)(at)).tone).toBeCloseTo(-23, 0)
})

it('given nothing, a whisper, a voice and a scream when judged then they are told apart', () => {
  expect(microphoneOf(many(NOTHING))).toBe('silent')
  expect(microphoneOf(many(moment(wave(220, 0.0008))))).toBe('silent')
  expect(microphoneOf([...many(NOTHING), ...many(moment(wave(220, 0.005)))])).toBe('quiet')
  expect(microphoneOf([...many(NOTHING), ...many(VOICE)])).toBe('good')
  expect(microphoneOf([...many(VOICE), ...many(moment(wave(220, 3)), 5)])).toBe('clipping')
  expect(microphoneOf([])).toBe('silent')
})

it('given a loud moment alone when judged then nothing rasps', () => {
  expect(microphoneOf([...many(VOICE, 60), moment(wave(220, 3))])).toBe('good')
})

it('given the loudspeaker’s tone in the microphone when judged then it is an echo', () => {
  expect(isEcho(many(NOTHING), many(moment(wave(TONE, 0.02))))).toBe(true)
  expect(isEcho(many(NOTHING), many(NOTHING))).toBe(false)
})

it('given a hum that was there before, traces, or one cough when judged then it is none', () => {
  const hum = many(moment(wave(TONE, 0.02)))
  expect(isEcho(hum, hum)).toBe(false)
  expect(isEcho(many(NOTHING), many(moment(wave(TONE, 0.0002))))).toBe(false)
  expect(isEcho(many(NOTHING), [...many(NOTHING), moment(wave(TONE, 0.5))])).toBe(false)
  expect(isEcho([], [])).toBe(false)
})

const GOOD: CheckResult = { microphone: 'good', echo: 'good', network: 'good' }
it.each<[string, Partial<CheckResult>, string]>([
  ['all that is good', {}, 'good'], ['a quiet voice', { microphone: 'quiet' }, 'fair'], ['a network that was not measured', { network: 'unknown' }, 'fair'],
  ['silence', { microphone: 'silent' }, 'bad'], ['an echo', { echo: 'echo' }, 'bad'], ['a bad network', { network: 'bad' }, 'bad'],
  ['no leave', { microphone: 'refused', echo: 'unknown', network: 'unknown' }, 'bad'],
])('given %s when all is judged then the word is right', (_what, changed, verdict) => {
  expect(verdictOfCheck({ ...GOOD, ...changed })).toBe(verdict)
})
