import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { serverNow } from '../api/clock'
import { followEvents } from '../api/events'
import { keys } from '../api/keys'
import { Problem } from '../api/problem'
import { makeRefresher } from '../api/refresher'

type Schemas = components['schemas']
export type Wallboard = Schemas['Wallboard']
export type WallLine = Schemas['WallLine']
export type WallDesk = Schemas['WallDesk']
export type Hour = Schemas['WallHour']

const KEY = ['wallboard']

/** This browser becomes a screen on a wall: it sees the wallboard alone, also once its person has signed out. */
export const hangScreen = () => body(client.POST('/api/v1/wallboard/screen'))

/** No screen on any wall shows anything any more. */
export const takeScreensDown = () => body(client.DELETE('/api/v1/wallboard/screens'))

/**
 * The wall at this moment: kept true by events where a person is signed in, asked for every second where a screen is
 * by itself, which no events tell anything.
 */
export function useWallboard(person: boolean) {
  const queries = useQueryClient()
  useEffect(() => {
    if (!person) return
    const refresh = makeRefresher((key: string[]) => queries.invalidateQueries({ queryKey: key }), 350)
    return followEvents({ onOpen: () => refresh(KEY), onChange: () => refresh(KEY), onSignedOut: () => queries.setQueryData(keys.me, null) })
  }, [queries, person])
  const { data, error } = useQuery({
    queryKey: KEY,
    queryFn: async () => ({ ...(await body(client.GET('/api/v1/wallboard'))), seenAt: serverNow() }),
    refetchInterval: person ? 5_000 : 1_000,
    refetchIntervalInBackground: true,
  })
  return { wall: data, signedOut: error instanceof Problem && error.status === 401 }
}
