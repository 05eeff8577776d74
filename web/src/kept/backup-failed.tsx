import { useLanguage } from '../language/language'
import { Latin } from '../ui/number'
import { Notice } from '../ui/notice'

/** Where what a system said tells a technician more than our words. */
const SAYS_MORE = new Set(['not_allowed', 'command', 'other'])

type Why = keyof ReturnType<typeof useLanguage>['text']['kept']['whys']

/** Why no backup was made. */
export function BackupFailed({ backup: { why, error } }: { backup: { why: Why | null; error: string | null } }) {
  const { text: { kept: words } } = useLanguage()
  if (!why) return null
  return (
    <Notice tone="error" data-testid="backup-failed">
      {words.failed} {words.whys[why]}
      {error && SAYS_MORE.has(why) && <> <Latin>{`(${error})`}</Latin></>}
    </Notice>
  )
}
