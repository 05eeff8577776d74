import { cloneElement, type VNode } from 'preact'
import { useId } from 'preact/hooks'

interface Props {
  label: string
  wrong?: string
  children: VNode
}

/** A field with its name above it, and what is wrong with it below. */
export function Field({ label, wrong = '', children }: Props) {
  const id = useId()
  const told = wrong ? { 'aria-invalid': true, 'aria-describedby': `${id}-wrong` } : {}
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {cloneElement(children, { id, ...told })}
      {wrong ? <p class="wrong" id={`${id}-wrong`}>{wrong}</p> : null}
    </div>
  )
}
