import { useMutation, useQueryClient } from '@tanstack/react-query'
import { keys } from '../api/keys'
import { signOut } from '../api/session'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { LanguageSwitch } from '../ui/language-switch'
import { partName, stateKind, stateName } from './parts'
import { hangScreen, takeScreensDown } from './queries'
import style from './wallboard.module.css'

/** How the system is, and the few things to do at a wall; the latter go in full screen. */
export function Foot({ health, me }: { health: Record<string, string>; me: Me | null }) {
  const { text } = useLanguage()
  const words = text.wallboard
  return (
    <footer className={style.foot}>
      <ul className={style.health} data-testid="health">
        {Object.entries(health).map(([part, value]) => (
          <li key={part} data-state={stateKind(value)}>
            {partName(part, words, value)} <b>{stateName(value, words)}</b>
          </li>
        ))}
      </ul>
      <div className={style.actions}>
        {me && (me.role === 'supervisor' || me.role === 'administrator') && <Screens />}
        {me && <a href="/">{words.back}</a>}
        <LanguageSwitch />
        <button type="button" onClick={() => void document.documentElement.requestFullscreen()} data-testid="full-screen">
          {words.fullScreen}
        </button>
      </div>
    </footer>
  )
}

/** The wall's own sign-in: it lasts, and sees nothing but this page. */
function Screens() {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const words = text.wallboard
  const hang = useMutation({
    mutationFn: async () => {
      await hangScreen()
      await signOut()
    },
    onSuccess: () => queries.setQueryData(keys.me, null),
  })
  const takeDown = useMutation({ mutationFn: takeScreensDown })
  return (
    <>
      <ErrorNotice error={hang.error ?? takeDown.error} />
      <button type="button" title={words.hangHelp} disabled={hang.isPending} onClick={() => hang.mutate()} data-testid="hang">{words.hang}</button>
      <button type="button" disabled={takeDown.isPending} onClick={() => takeDown.mutate()} data-testid="take-down">{words.takeDown}</button>
    </>
  )
}
