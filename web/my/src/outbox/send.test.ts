import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sendDue } from './send'
import { answers, ARRIVED, asked, begin, finished, kept, now, picture, problem, reports } from './test-api'
import { blank, jot, jotted, objection } from '../kept/report'
import { addPicture, finish, mend, picturesOf, recover, store, takeOver, write } from '../kept/store'

// What is sent in pieces has arrived; what is made of it is asked as everything is. On a real line: tests/pages/test_citizens_line.py.
vi.mock('./upload', () => ({
  uploaded: (file: { kind: string }, begun: (upload: string) => void) => {
    begun(`/api/v1/my/uploads/${file.kind}`)
    return Promise.resolve(file.kind)
  },
}))

beforeEach(begin)
afterEach(() => vi.useRealTimers())

describe('the outbox', () => {
  it('given a report with two pictures when it is sent then they go first, and it has arrived', async () => {
    const report = await finished(2)
    answers(picture('a'), picture('b'), ARRIVED)
    expect(await sendDue()).toBeNull()
    expect(asked.at(-1)).toMatchObject({ key: report.key, body: { pictures: ['a', 'b'], category: 2 } })
    expect(await now(report)).toMatchObject({ state: 'arrived', tracking: '123456789' })
    expect(await picturesOf(report.key)).toEqual([])
  })

  it('given a lost answer when it is sent again then the same is said under the same key, and no picture twice', async () => {
    const report = await finished(1)
    answers(picture('a'), 'lost')
    expect(await sendDue()).toBeGreaterThan(1_000)
    expect(await now(report)).toMatchObject({ state: 'waiting', problem: 'away' })
    answers({ ...(ARRIVED as object), status: 200 })
    await sendDue(true)
    const [first, second] = reports()
    expect(second).toEqual(first)
    expect(await now(report)).toMatchObject({ state: 'arrived' })
  })

  it('given a network of strangers that answers with a page of its own when it is sent then nothing has arrived', async () => {
    const report = await finished()
    answers({ status: 200, body: 'please sign in', headers: { 'Content-Type': 'text/html' } })
    await sendDue()
    expect(await now(report)).toMatchObject({ state: 'waiting', problem: 'away' })
  })

  it('given a refusal when it is sent then the report says so, waits for its writer, and others go on', async () => {
    const wrong = await finished()
    const right = await finished()
    answers(problem(409, 'place-outside'), ARRIVED)
    expect(await sendDue()).toBeNull()
    expect(await now(wrong)).toMatchObject({ state: 'refused', problem: 'place-outside' })
    expect(await now(right)).toMatchObject({ state: 'arrived' })
    await mend(wrong.key)
    await write(wrong.key, { place: 'میدان' })
    await finish(wrong.key, '0913•••0001')
    answers(ARRIVED)
    await sendDue()
    expect(reports().at(-1)).toMatchObject({ key: wrong.key, body: { place: 'میدان' } })
  })

  it('given «too many» with a time when it is sent then it waits so long, whatever the network does', async () => {
    const report = await finished()
    answers(problem(429, 'too-many-reports', { 'Retry-After': '3600' }))
    const again = await sendDue()
    expect(again).toBeGreaterThan(3_500_000)
    answers()
    await sendDue(true)
    expect(await now(report)).toMatchObject({ state: 'waiting', problem: 'too-many-reports' })
  })

  it('given a clock that was set back by a year when it is sent then nothing waits for the year to pass', async () => {
    const report = await finished()
    await store.reports.update(report.key, { problem: 'too-many-reports', notBefore: Date.now() + 365 * 86_400_000 })
    answers(ARRIVED)
    await sendDue()
    expect(await now(report)).toMatchObject({ state: 'arrived' })
  })

  it('given a report that is finished when a picture is made only now then it is not half of it', async () => {
    const report = await finished()
    expect(await addPicture(report.key, new ArrayBuffer(1))).toBe(false)
    expect(await picturesOf(report.key)).toEqual([])
  })

  it('given a session that is over when it is sent then nobody is signed in, and all is kept', async () => {
    const report = await finished(1)
    answers(problem(401, 'not-signed-in'), problem(401, 'not-signed-in'))
    expect(await sendDue()).toBeNull()
    expect(kept.get('hotline137.my.number')).toBeUndefined()
    expect(await now(report)).toMatchObject({ state: 'waiting' })
    expect(await picturesOf(report.key)).toHaveLength(1)
  })

  it('given a session that can be renewed when it is sent then it is, and the report goes', async () => {
    const report = await finished()
    answers(problem(401, 'not-signed-in'), { status: 200, body: { number: '0913•••0001' } }, ARRIVED)
    await sendDue()
    expect(await now(report)).toMatchObject({ state: 'arrived' })
  })

  it('given pictures that the API has forgotten when it is sent then they go once more', async () => {
    const report = await finished(1)
    answers(picture('old'), problem(409, 'picture-unknown'), picture('new'), ARRIVED)
    await sendDue()
    expect(reports().at(-1)).toMatchObject({ key: report.key, body: { pictures: ['new'] } })
  })

  it('given a report of another number when it would be sent then it is asked first', async () => {
    const report = await finished(1, '0913•••0009')
    answers()
    await sendDue()
    expect(await now(report)).toMatchObject({ state: 'refused', problem: 'other-number' })
    await takeOver(report.key)
    answers(picture('a'), ARRIVED)
    await sendDue()
    expect(await now(report)).toMatchObject({ state: 'arrived' })
  })

  it('given nobody who is signed in when it would be sent then nothing is asked', async () => {
    kept.clear()
    await finished()
    answers()
    expect(await sendDue()).toBeNull()
    expect(asked).toEqual([])
  })

  it('given what a killed page had jotted down when the app is opened then the draft has it', async () => {
    const report = { ...blank('fa'), text: 'چراغ' }
    jot(report)
    await recover()
    expect(await now(report)).toMatchObject({ state: 'draft', text: 'چراغ' })
    jot({ ...report, text: 'چراغ خاموش', changedAt: report.changedAt + 1 })
    jotted(report) // the database has the older one
    await recover()
    expect(await now(report)).toMatchObject({ text: 'چراغ خاموش' })
    expect([...kept.keys()].filter((name) => name.includes('typed'))).toEqual([])
  })

  it('given what was jotted down of a report that is finished when the app is opened then nothing of it changes', async () => {
    const report = await finished()
    jot({ ...report, text: 'دیگر', changedAt: Date.now() + 1 })
    await recover()
    expect(await now(report)).toMatchObject({ state: 'waiting', text: report.text })
  })

  it('given an objection with a picture when its answer is lost then it goes once more as the same one, and no picture twice', async () => {
    const no = { ...objection('fa', '123456789', '2026-12-02T06:31:07.123456Z'), text: 'هنوز تاریک است' }
    await store.reports.add(no)
    await addPicture(no.key, new Uint8Array([1]).buffer)
    await finish(no.key, '0913•••0001')
    answers(picture('a'), 'lost')
    await sendDue()
    answers({ ...(ARRIVED as object), status: 200 })
    await sendDue(true)
    const said = asked.filter(({ path }) => path.endsWith('/requests/123456789/object'))
    expect(said[0]?.body).toEqual({ reason: no.text, pictures: ['a'], parts: [], answer: '2026-12-02T06:31:07.123456Z' })
    expect(said[1]).toEqual(said[0])
    expect(await now(no)).toMatchObject({ state: 'arrived' })
  })

  it('given a report that is on its way when its form writes then nothing of it changes', async () => {
    const report = await finished()
    await write(report.key, { text: 'دیگر' })
    expect(await now(report)).toMatchObject({ text: report.text })
  })
})
