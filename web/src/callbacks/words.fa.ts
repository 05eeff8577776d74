/** What pages say of a call. */
export const words = {
  callsDown: 'ارتباط تلفنی قطع است؛ صف محفوظ است',
  callsDownSince: (at: string) => `از ساعت ${at}`,
  notes: 'یادداشت‌های تماس',
  onHold: 'انتظار شهروند',
  callStates: {
    ready: 'آمادهٔ تماس', calling: 'در حال تماس', waiting: 'منتظر روی خط', talking: 'در گفت‌وگو',
    held: 'ارتباط میز قطع است', after: 'در انتظار نتیجه', over: 'پایان‌یافته',
  },
}
