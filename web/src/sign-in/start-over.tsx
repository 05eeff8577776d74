import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { accountKeys } from '../api/keys'
import { signOut } from '../api/session'
import { useLanguage } from '../language/language'

/** For another person: back to the first step, or away from a page that is somebody's. */
export function StartOver({ leaves }: { leaves: boolean }) {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const leave = useMutation({
    mutationFn: signOut,
    onSuccess: () => {
      if (leaves) location.assign('/sign-in')
      return queries.invalidateQueries({ queryKey: accountKeys.step })
    },
  })
  return (
    <Button variant="subtle" fullWidth mt="xs" loading={leave.isPending} onClick={() => leave.mutate()} data-testid="start-over">
      {text.secondStep.startOver}
    </Button>
  )
}
