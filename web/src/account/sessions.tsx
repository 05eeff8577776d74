import { Button, Stack } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { accountKeys } from '../api/keys'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Latin } from '../ui/number'
import { readAgent } from './agent'
import { endOtherSessions, endSession, type MySession } from './queries'
import style from './account.module.css'

export function Sessions({ sessions }: { sessions: MySession[] }) {
  const { text, format } = useLanguage()
  const texts = text.account.sessions
  const queries = useQueryClient()
  const onSuccess = () => queries.invalidateQueries({ queryKey: accountKeys.account })
  const end = useMutation({ mutationFn: endSession, onSuccess })
  const endOthers = useMutation({ mutationFn: endOtherSessions, onSuccess })
  return (
    <Stack gap="sm">
      <ul className={style.sessions}>
        {sessions.map((session) => {
          const { browser, system } = readAgent(session.agent)
          return (
            <li key={session.id} className={style.session} data-testid="session">
              <div>
                <p>{browser ? texts.browser(browser, system) : texts.unknown}</p>
                <p className={style.more}>
                  {texts.seen(format.moment(session.last_seen_at))}{text.comma}{texts.begun(format.moment(session.created_at))}
                </p>
                <p className={style.more}><Latin>{session.address}</Latin></p>
              </div>
              {session.current
                ? <span className={style.more}>{texts.current}</span>
                : (
                  <Button
                    variant="light" color="brick" size="xs" loading={end.isPending && end.variables === session.id}
                    onClick={() => end.mutate(session.id)} data-testid="end-session"
                  >
                    {texts.end}
                  </Button>
                )}
            </li>
          )
        })}
      </ul>
      <ErrorNotice error={end.error ?? endOthers.error} />
      {sessions.length > 1 && (
        <Button variant="default" loading={endOthers.isPending} onClick={() => endOthers.mutate()} data-testid="end-others">
          {texts.endOthers}
        </Button>
      )}
    </Stack>
  )
}
