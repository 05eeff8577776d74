import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { NEAR, sendDue, sendUnkept } from './send'
import { answers, ARRIVED, asked, begin, finished, now, picture, problem, reports, type Answer } from './test-api'
import { blank } from '../kept/report'
import { addPicture, resend, store } from '../kept/store'

// What is sent in pieces has arrived; what is made of it is asked as everything is. On a real line: tests/pages/test_citizens_line.py.
vi.mock('./upload', () => ({
  uploaded: (file: { kind: string }, begun: (upload: string) => void) => {
    begun(`/api/v1/my/uploads/${file.kind}`)
    return Promise.resolve(file.kind)
  },
}))

beforeEach(begin)

describe('a phone that is full', () => {
  const full = () => Promise.reject(new DOMException('no room', 'QuotaExceededError'))

  it('given no room for a note when a report is sent then it arrives all the same', async () => {
    const report = await finished(1)
    const noted = vi.spyOn(store.pictures, 'update').mockImplementation(full as never)
    answers(picture('a'), ARRIVED)
    await sendDue()
    noted.mockRestore()
    expect(reports()).toHaveLength(1)
    expect(await now(report)).toMatchObject({ state: 'arrived', tracking: '123456789' })
  })

  it('given no room for its arrival when a report is sent then it leaves the outbox and is not sent again', async () => {
    const report = await finished()
    const noted = vi.spyOn(store.reports, 'update').mockImplementation(full as never)
    answers(ARRIVED)
    expect(await sendDue()).toBeNull()
    noted.mockRestore()
    expect(await now(report)).toBeUndefined()
  })

  it('given no room for a finished report when it is sent at once then its pictures go with it', async () => {
    const report = { ...blank('fa'), category: 2, text: 'چراغ خاموش است' }
    await store.reports.add(report)
    await addPicture(report.key, new Uint8Array([1]).buffer)
    answers(picture('a'), ARRIVED)
    expect(await sendUnkept(report)).toBe('123456789')
    expect(asked.at(-1)).toMatchObject({ key: report.key, body: { pictures: ['a'] } })
    expect(await store.pictures.count()).toBe(0)
  })
})

describe('a report that was finished before anybody signed in', () => {
  const near: Answer = { status: 200, body: [{ tracking: '111111111' }] }
  const nowhere: Answer = { status: 200, body: [] }
  const withPoint = async () => {
    const report = await finished(0, '')
    await store.reports.update(report.key, { point: { latitude: 32.65, longitude: 51.66, metres: 5 } })
    return report
  }

  it('given the same reported nearby when it is due then its writer is asked, and it is sent only as they say', async () => {
    const report = await withPoint()
    answers(near, ARRIVED)
    await sendDue()
    expect(await now(report)).toMatchObject({ state: 'refused', problem: NEAR })
    expect(reports()).toHaveLength(0)
    await resend(report.key)
    await sendDue()
    expect(await now(report)).toMatchObject({ state: 'arrived' })
  })

  it('given nothing nearby when it is due then it is sent', async () => {
    const report = await withPoint()
    answers(nowhere, ARRIVED)
    await sendDue()
    expect(await now(report)).toMatchObject({ state: 'arrived' })
  })

  it('given a refused list when it is due then it is sent', async () => {
    const report = await withPoint()
    answers(problem(429, 'too-many-attempts'), ARRIVED)
    await sendDue()
    expect(await now(report)).toMatchObject({ state: 'arrived' })
  })
})
