import { describe, expect, it } from 'vitest'
import { mosOf, verdictOf } from './mos'
import { between, mosOfSample, read, troubleOf, type Reading, type Sample } from './quality'
import { QualityFollower, Steady } from './quality-follower'

const PERFECT = { loss: 0, jitter: 0 }

/** A second has fifty packets. */
const reading = (at: number, changed: Partial<Reading> = {}): Reading => ({
  at, stream: 'a 1', received: at / 20, lost: 0, jitter: 3, remote: null, rtt: 20, energy: at, ...changed,
})
const sample = (changed: Partial<Sample> = {}): Sample =>
  ({ heard: PERFECT, sent: PERFECT, rtt: 20, packets: 100, silent: false, ...changed })

describe('the score', () => {
  it.each([
    // R of G.107 by hand: 93.2 - 0.024 d - 0.11 (d - 177.3) - 95 p / (p + 25.1)
    [0, 0, 0, 4.4], [1, 0, 0, 4.32], [5, 0, 0, 3.91], [10, 0, 0, 3.37], [20, 0, 0, 2.6], [0, 0, 300, 4.31], [0, 0, 800, 2.91],
  ])('given %d %% lost, %d ms of jitter and %d ms there and back when scored then it is that of the hand', (loss, jitter, rtt, mos) => {
    expect(mosOf({ loss, jitter }, rtt)).toBeCloseTo(mos, 1)
  })
  it('given the worst or an unknown way back when scored then it stays in its bounds', () => {
    expect(mosOf({ loss: 100, jitter: 5_000 }, 60_000)).toBe(1)
    expect(mosOf(PERFECT, null)).toBeLessThan(4.5)
  })
  it('given more loss when scored then it is never better', () => {
    const scores = Array.from({ length: 101 }, (_, loss) => mosOf({ loss, jitter: 10 }, 100))
    expect(scores.toSorted((a, b) => b - a)).toEqual(scores)
  })
  it('given scores when said in a word then there are three', () => {
    expect([4.4, 4, 3.9, 3.1, 3, 1].map(verdictOf)).toEqual(['good', 'good', 'fair', 'fair', 'bad', 'bad'])
  })
})

describe('a reading', () => {
  const inbound = { id: 'in', type: 'inbound-rtp', kind: 'audio', ssrc: 7, packetsReceived: 100, packetsLost: 3, packetsDiscarded: 2, jitter: 0.004 }
  const rest = [
    { id: 'remote', type: 'remote-inbound-rtp', kind: 'audio', timestamp: 5, fractionLost: 0.1, jitter: 0.002, roundTripTime: 0.08 },
    { id: 'way', type: 'transport', selectedCandidatePairId: 'pair' },
    { id: 'other', type: 'candidate-pair', currentRoundTripTime: 9 },
    { id: 'pair', type: 'candidate-pair', currentRoundTripTime: 0.03 },
    { id: 'microphone', type: 'media-source', kind: 'audio', totalAudioEnergy: 0.5 },
  ]
  const of = (...stats: object[]) => read(stats as RTCStats[], 1_000)

  it('given everything when read then it is in milliseconds and per cent', () => {
    expect(of(inbound, ...rest)).toEqual({
      at: 1_000, stream: 'in 7', received: 100, lost: 5, jitter: 4, remote: { said: 5, loss: 10, jitter: 2 }, rtt: 30, energy: 0.5,
    })
  })
  it('given no way that is chosen when read then Asterisk’s word for the time there and back is taken', () => {
    expect(of(inbound, rest[0] ?? {})?.rtt).toBe(80)
  })
  it('given the first half of it alone when read then the rest is not known', () => {
    expect(of(inbound)).toMatchObject({ remote: null, rtt: null, energy: null })
  })
  it('given nothing of what comes in when read then there is no reading', () => {
    expect([of(), of(...rest), of({ id: 'in', type: 'inbound-rtp', kind: 'audio' })]).toEqual([null, null, null])
  })
})

describe('the time between two readings', () => {
  it('given lost packets when compared then it is their share', () => {
    const now = reading(4_000, { received: 190, lost: 10, remote: { said: 1, loss: 2, jitter: 5 } })
    expect(between(reading(2_000), now)).toEqual({
      heard: { loss: 10, jitter: 3 }, sent: { loss: 2, jitter: 5 }, rtt: 20, packets: 90, silent: false,
    })
  })
  it('given packets that came twice when compared then no fewer than none are lost', () => {
    expect(between(reading(2_000, { lost: 4 }), reading(4_000, { lost: 1 }))?.heard.loss).toBe(0)
  })
  it.each<[string, Partial<Reading>]>([
    ['another stream', { stream: 'b 2' }], ['counters that began anew', { received: 3 }],
    ['a clock that stands or runs back', { at: 2_000 }], ['a computer that slept', { at: 60_000 }],
  ])('given %s when compared then nothing is told', (_what, changed) => {
    expect(between(reading(2_000), reading(4_000, changed))).toBeNull()
  })
  it('given no reading before when compared then nothing is told', () => {
    expect([between(null, reading(1)), between(reading(1), null)]).toEqual([null, null])
  })
  it('given a microphone without any sound when compared then that is told', () => {
    expect(between(reading(2_000, { energy: 1 }), reading(4_000, { energy: 1 }))?.silent).toBe(true)
    expect(between(reading(2_000, { energy: null }), reading(4_000, { energy: null }))?.silent).toBe(false)
  })
  it('given two directions when scored then the worse one counts', () => {
    expect(mosOfSample(sample({ sent: { loss: 30, jitter: 0 } }))).toBe(mosOf({ loss: 30, jitter: 0 }, 20))
    expect(mosOfSample(sample({ sent: null }))).toBe(mosOf(PERFECT, 20))
  })
  it('given what is bad when asked why then it is the side that can do something', () => {
    const bad = { loss: 40, jitter: 0 }
    expect(troubleOf(sample({ heard: bad, sent: bad }))).toBe('network')
    expect(troubleOf(sample({ heard: bad }))).toBe('hearing')
    expect(troubleOf(sample({ sent: bad }))).toBe('speaking')
    expect(troubleOf(sample({ rtt: 900 }))).toBe('delay')
  })
})

describe('a verdict that takes its time', () => {
  const after = (...scores: number[]) => {
    const steady = new Steady()
    return scores.map((mos) => steady.take(mos))
  }
  it('given one bad reading when it is followed then nothing changes', () => {
    expect(after(4.4, 2, 4.4, 2, 4.4)).toEqual(Array(5).fill('good'))
  })
  it('given two when they are in a row then it is bad, and good again after three', () => {
    expect(after(2, 2, 4.4, 4.4, 2, 4.4, 4.4, 4.4)).toEqual(['good', 'bad', 'bad', 'bad', 'bad', 'bad', 'bad', 'good'])
  })
  it('given scores about a limit when followed then it does not flicker', () => {
    expect(new Set(after(3.05, 3.05, ...Array<number>(20).fill(0).flatMap(() => [3.15, 3.05])))).toEqual(new Set(['good', 'bad']))
  })
})

describe('a call that is followed', () => {
  const follow = (readings: (Reading | null)[], speaks = true) => {
    const follower = new QualityFollower()
    return readings.map((one) => follower.take(one, speaks))
  }
  const every2s = (count: number, change: (at: number) => Partial<Reading> = () => ({})) =>
    Array.from({ length: count }, (_, place) => reading(2_000 * place, change(2_000 * place)))

  it('given a good call when followed then it is good from the second reading on, and nothing is warned of', () => {
    const seen = follow(every2s(10))
    expect(seen.map(({ verdict }) => verdict)).toEqual([null, ...Array<string>(9).fill('good')])
    expect(seen.every(({ warning }) => warning === null)).toBe(true)
  })
  it('given a third that is lost when followed then it is bad after two readings, and warned of some seconds later', () => {
    const seen = follow(every2s(6, (at) => ({ received: at / 30, lost: at / 60 })))
    expect(seen.map(({ verdict }) => verdict)).toEqual([null, 'good', 'bad', 'bad', 'bad', 'bad'])
    expect(seen.map(({ warning }) => warning)).toEqual([null, null, null, null, 'hearing', 'hearing'])
  })
  it('given a call that hangs when followed then it is bad after five seconds without any packet', () => {
    const seen = follow(every2s(8, (at) => ({ received: Math.min(at, 4_000) / 20 })))
    expect(seen.map(({ verdict }) => verdict)).toEqual([null, 'good', 'good', 'good', 'good', 'good', 'bad', 'bad'])
    expect(seen.at(-1)?.mos).toBeLessThan(1.2)
  })
  it('given stats that are missing when followed then what was known holds for a moment only', () => {
    const seen = follow([...every2s(3), null, null, null])
    expect(seen.map(({ verdict }) => verdict)).toEqual([null, 'good', 'good', 'good', 'good', null])
  })
  it('given counters that begin anew when followed then no loss is invented', () => {
    const seen = follow([...every2s(3), reading(6_000, { received: 2, lost: 90 }), reading(8_000, { received: 102, lost: 90 })])
    expect(seen.slice(3).map(({ now }) => now?.heard.loss)).toEqual([undefined, 0])
  })
  it('given Asterisk that says nothing more when followed then its last word is believed for a while', () => {
    const seen = follow(every2s(12, () => ({ remote: { said: 1, loss: 0, jitter: 1 } })))
    expect(seen[2]?.now?.sent).not.toBeNull()
    expect(seen.at(-1)?.now?.sent).toBeNull()
  })
  it('given a microphone that gives nothing when followed then it is warned of, unless it is switched off', () => {
    const dead = every2s(14, () => ({ energy: 1 }))
    expect(follow(dead).at(-1)?.warning).toBe('microphone')
    expect(follow(dead, false).at(-1)?.warning).toBeNull()
  })
})
