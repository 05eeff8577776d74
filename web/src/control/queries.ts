/** What the supervisor's room asks, and does. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { keys } from '../api/keys'

type Schemas = components['schemas']
export type ControlRoom = Schemas['ControlRoom']
export type LiveLine = Schemas['LiveLine']
export type LiveDesk = Schemas['LiveDesk']
export type Alarm = Schemas['Alarm']
export type Hearing = Exclude<Schemas['Hearing'], 'consult'>

/** Alarms come with time, too, without any event; most of them only where somebody works. */
const ROOM = 5_000
const ALARMS = 20_000
/** The room brings them along: where it is shown its answer comes first, and they are not asked for besides. */
const ALARMS_ALONE = 25_000

const isAtWork = ({ lines, desks }: ControlRoom) =>
  lines.some(({ line }) => line.waiting > 0 || line.on_the_line > 0 || (line.phase === 'live' && !line.is_operators_line)) ||
  desks.some((desk) => desk.phone_connected || desk.callback_id !== null)

/** The room at this moment; the rail counts what it shows. */
export function useControlRoom() {
  const queries = useQueryClient()
  return useQuery({
    queryKey: keys.control,
    queryFn: async () => {
      const room = await body(client.GET('/api/v1/control'))
      queries.setQueryData(keys.alarms, room.alarms)
      return room
    },
    refetchInterval: ({ state: { data } }) => (!data || isAtWork(data) ? ROOM : ALARMS),
  })
}

export const useAlarms = (watches: boolean) =>
  useQuery({ queryKey: keys.alarms, queryFn: () => body(client.GET('/api/v1/control/alarms')), refetchInterval: ALARMS_ALONE, enabled: watches })

export type Span = Schemas['DaySpan']

/** What a person did on a day of the city (2026-12-02). */
export const usePersonDay = (person_id: number, day: string) =>
  useQuery({
    queryKey: [...keys.control, 'day', person_id, day],
    queryFn: () => body(client.GET('/api/v1/people/{person_id}/day', { params: { path: { person_id }, query: { day } } })),
  })

/** My desk's phone takes part in the conversation of another desk; null: in none any more. */
export const hear = (desk_id: number | null, how: Hearing = 'listen') =>
  body(client.PUT('/api/v1/desk/hears', { body: { desk_id, how } }))

/** The citizen is taken from a desk that does not come back, and is first again. */
export const free = (callback_id: number, reason: string) =>
  body(client.POST('/api/v1/callbacks/{callback_id}/free', { params: { path: { callback_id } }, body: { reason } }))

export const sendWord = (desk_id: number, text: string) =>
  body(client.POST('/api/v1/desks/{desk_id}/messages', { params: { path: { desk_id } }, body: { text } }))
