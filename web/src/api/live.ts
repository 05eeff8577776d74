import { useEffect } from 'react'
import { useQueryClient, type QueryKey } from '@tanstack/react-query'
import { leaveOld } from './asked-ahead'
import { followEvents } from './events'
import { adminKeys, planningKey, keys, HISTORY, INBOX, REQUESTS, TAKERS, VOICE } from './keys'
import { makeRefresher } from './refresher'
import { useSessionOver } from './session'
import type { Me } from './types'

/** In so many milliseconds a page asks once for lists that every other page asks for at the same event, not all in the same moment. */
const GATHERED = 2_000
const SPREAD = 400

/** Keeps every query of the page true while it is open: my own callback at once, lines calmly. */
export function useLiveUpdates(myDesk: number | null): void {
  const queries = useQueryClient()
  const over = useSessionOver()

  useEffect(() => {
    if (over) return
    const refresh = (queryKey: QueryKey) => queries.invalidateQueries({ queryKey })
    const soon = makeRefresher(refresh, 40)
    const calmly = makeRefresher(refresh, 350)
    const gathered = makeRefresher(refresh, GATHERED, SPREAD)

    return followEvents({
      onOpen: () => {
        leaveOld()
        void queries.invalidateQueries()
      },
      onSignedOut: () => void queries.invalidateQueries({ queryKey: keys.me, exact: true }),
      onChange: (change) => {
        if (change.desk_id !== null && change.desk_id === myDesk) {
          soon(keys.me)
          if (change.callback_id !== null) soon(keys.callback(change.callback_id))
        }
        const consulted = queries.getQueryData<Me>(keys.me)?.consulted_in?.callback_id
        if (consulted !== undefined && change.callback_id === consulted) soon(keys.me)
        if (change.kind === 'urgent') {
          soon(keys.urgent)
          return
        }
        if (change.kind === 'escalation') {
          soon(keys.escalations)
          return
        }
        // A desk has a caller in hand, or an office sees to a request: then nobody else needs to.
        if ((change.kind === 'callback' || change.kind === 'request') && queries.getQueryData<unknown[]>(keys.urgent)?.length) calmly(keys.urgent)
        if (change.kind === 'person') {
          soon(keys.me)
          calmly(adminKeys.people)
        }
        if (change.kind === 'telephone') {
          soon(keys.me)
          calmly(keys.control)
          calmly(keys.alarms)
          return
        }
        if (change.kind === 'request') {
          gathered(REQUESTS)
          gathered(HISTORY)
          gathered(keys.escalations)
          return
        }
        calmly(keys.control)
        if (change.kind === 'number') calmly(adminKeys.blocked)
        if (change.kind === 'key') calmly(adminKeys.apiKeys)
        calmly(adminKeys.desks)
        calmly(TAKERS)
        if (change.kind === 'desk') {
          soon(keys.stages)
          return
        }
        if (change.kind === 'recording') {
          if (change.round_id !== null) calmly(keys.recordings(change.round_id))
          calmly(adminKeys.recordings)
          return
        }
        if (change.kind === 'timetable' || change.kind === 'round') calmly(planningKey)
        if (change.kind === 'registration') calmly([...VOICE, change.registration_id])
        calmly(keys.rounds)
        if (change.round_id === null) return
        soon(keys.stage(change.round_id))
        calmly(keys.line(change.round_id))
      },
    })
  }, [queries, myDesk, over])
}

/** The same for a department, which is told only that something of its own is different. */
export function useLiveInbox(): void {
  const queries = useQueryClient()
  const over = useSessionOver()

  useEffect(() => {
    if (over) return
    const gathered = makeRefresher((queryKey: QueryKey) => queries.invalidateQueries({ queryKey }), GATHERED, SPREAD)
    return followEvents({
      onOpen: () => {
        leaveOld()
        void queries.invalidateQueries()
      },
      onSignedOut: () => void queries.invalidateQueries({ queryKey: keys.me, exact: true }),
      onChange: () => gathered(INBOX),
    }, '/api/v1/events/inbox')
  }, [queries, over])
}
