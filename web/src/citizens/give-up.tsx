import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { PastRegistration } from '../desk/queries'
import { useLanguage } from '../language/language'
import { ReasonDialog } from '../ui/reason-dialog'
import { giveUp } from './queries'

/** Gives a place up for a citizen who is on the line or at the office; the number is told. */
export function GiveUp({ registration: { id, ticket } }: { registration: PastRegistration }) {
  const { text, format } = useLanguage()
  const words = text.citizens
  const queries = useQueryClient()
  const [asked, setAsked] = useState(false)
  const act = async (reason: string) => {
    await giveUp(id, reason)
    await queries.invalidateQueries({ queryKey: ['citizens'] })
  }
  return (
    <>
      <Button variant="default" size="compact-sm" onClick={() => setAsked(true)} data-testid="give-up">{words.giveUp}</Button>
      {asked && (
        <ReasonDialog
          title={words.giveUpTitle(format.ticket(ticket))} help={words.giveUpHelp} action={words.giveUp} color="red" about={text.rounds.reasonPublic}
          act={act} onClose={() => setAsked(false)}
        />
      )}
    </>
  )
}
