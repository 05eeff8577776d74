import { Button } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useActions } from '../callbacks/use-actions'
import { markThreat } from './queries'

/** So long the second press, which does it, is waited for. */
const SURE = 5000

/** The citizen threatens somebody: pressed twice, it is marked, kept, and told to supervisors. */
export function ThreatButton({ callback }: { callback: Callback }) {
  const { text } = useLanguage()
  const { error, pending, may } = useActions()
  const [asks, setAsks] = useState(false)
  const mark = may(true, 'threat', () => markThreat(callback.id))
  useEffect(() => {
    if (!asks) return
    const timer = setTimeout(() => setAsks(false), SURE)
    return () => clearTimeout(timer)
  }, [asks])
  if (callback.threat_at) return <p role="status" data-testid="threat-marked">{text.threat.marked}</p>
  return (
    <div>
      <Button
        variant="default" size="sm" c="brick" loading={pending !== null} data-testid="threat" leftSection={<IconAlertTriangle aria-hidden size={18} />}
        onClick={asks ? mark : () => setAsks(true)}
      >
        {asks ? text.threat.sure : text.threat.mark}
      </Button>
      <ErrorNotice error={error} />
    </div>
  )
}
