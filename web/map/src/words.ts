/** What the map itself says, by MapLibre's names of it. */
export const WORDS = {
  fa: {
    'Map.Title': 'نقشهٔ شهر',
    'NavigationControl.ZoomIn': 'نزدیک‌تر',
    'NavigationControl.ZoomOut': 'دورتر',
    'Marker.Title': 'نقطهٔ انتخاب‌شده',
    'Popup.Close': 'بستن',
    'CooperativeGesturesHandler.WindowsHelpText': 'برای بزرگ‌کردن نقشه Ctrl را نگه دارید.',
    'CooperativeGesturesHandler.MacHelpText': 'برای بزرگ‌کردن نقشه ⌘ را نگه دارید.',
    'CooperativeGesturesHandler.MobileHelpText': 'نقشه را با دو انگشت جابه‌جا کنید.',
  },
  en: {
    'Map.Title': 'Map of the city',
    'NavigationControl.ZoomIn': 'Nearer',
    'NavigationControl.ZoomOut': 'Farther',
    'Marker.Title': 'Chosen point',
    'Popup.Close': 'Close',
    'CooperativeGesturesHandler.WindowsHelpText': 'Hold Ctrl to zoom the map.',
    'CooperativeGesturesHandler.MacHelpText': 'Hold ⌘ to zoom the map.',
    'CooperativeGesturesHandler.MobileHelpText': 'Move the map with two fingers.',
  },
}
