import type { words as fa } from './words.fa'

export const words: typeof fa = {
  subjects: {
    title: 'Subjects',
    help: 'Callers choose a subject by its number. The names are shown on every page; what is heard on the telephone is the prompt, and does not change with the name.',
    fa: 'Persian name',
    en: 'English name',
    offered: 'Said on the telephone',
    key: (key) => `Key ${key}`,
    save: 'Save',
    heard: 'On the telephone:',
  },
}
