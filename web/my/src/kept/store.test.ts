import 'fake-indexeddb/auto'
import { expect, it, vi } from 'vitest'
import { addPicture, allReports, dropArrived, picturesOf, store } from './store'
import { blank } from './report'

vi.stubGlobal('localStorage', {})

it('given a citizen who is signed out or deleted when what has arrived is dropped then drafts and what waits stay', async () => {
  await store.reports.clear() // of another test's
  const [arrived, waits, draft] = [blank('fa'), blank('fa'), blank('fa')]
  await store.reports.bulkAdd([{ ...arrived, state: 'arrived' }, draft, waits])
  await addPicture(waits.key, new ArrayBuffer(1))
  await store.reports.update(waits.key, { state: 'waiting' })
  await dropArrived()
  expect((await allReports()).map(({ key }) => key).sort()).toEqual([waits.key, draft.key].sort())
  expect(await picturesOf(waits.key)).toHaveLength(1)
})
