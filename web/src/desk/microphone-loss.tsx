import { Button } from '@mantine/core'
import { useLanguage } from '../language/language'
import type { Microphone } from '../phone/microphone'
import { Notice } from '../ui/notice'
import { useStore } from '../ui/store'
import style from './phone-panel.module.css'

/** A microphone that died in use, in words, and what speaks instead. */
export function MicrophoneLoss({ microphone }: { microphone: Microphone }) {
  const { text } = useLanguage()
  const { loss, stream } = useStore(microphone.status)
  const words = text.microphoneLoss
  return (
    <div role="alert" className="live">
      {loss && (
        <Notice tone="error" data-testid={`microphone-${loss}`}>
          <div className={style.top}>
            <strong>{loss === 'missing' ? words.missing : words.replaced(stream?.getAudioTracks()[0]?.label ?? '')}</strong>
            {loss === 'replaced' && (
              <Button variant="default" size="compact-md" onClick={() => microphone.acknowledge()} data-testid="microphone-understood">
                {words.understood}
              </Button>
            )}
          </div>
        </Notice>
      )}
    </div>
  )
}
