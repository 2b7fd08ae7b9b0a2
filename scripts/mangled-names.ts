/**
 * Names of properties that no one outside of the recorder's own file ever sees: rrweb's first, then ours. They are made short
 * where pages of other people load them. What is sent, stored, configured or called by a page must not stand here; a test
 * looks for that.
 */
const NAMES = `
  _unchangedStyles addLoadListener addShadowRoot addedSet adoptStyleSheets adoptedStyleSheetCb attachIframe attachLinkElement
  attributeMap blockSelector bypassOptions collectFonts cssCaptured customElementCb fontCb genAdds
  genTextAreaValueMutation getId getNode hasNode idNodeMap iframeManager inlineImages inputCb
  loadListener mapRemoves maskInputFn mediaInteractionCb mouseInteractionCb mousemoveCb mutationCb needBlock
  newlyAddedElement nodeMetaMap observeAttachShadow onIframeLoad onSerialize onStylesheetLoad
  patchAttachShadow preserveWhiteSpace processMutation processMutations removeNodeFromMap
  restoreHandlers scrollCb selectionCb shadowDomManager shadowDoms skipChild styleDeclarationCb styleDiff
  styleIDMap styleMirror styleSheetRuleCb stylesheetManager trailing unattachedDoc viewportResizeCb

  activeAt added beginRun coverIn coverOf deliver detailsFor failures forget giveUp giveUpBuffered hasOld isBlocked isBuffering
  isEmpty isField isHeld isHolding isInputMasked isLeaving isMasked isOut isPacked isRecorded isRecording isSvg leave losses
  maskInput maskTextSelector maskValue newest nextSeq notBefore onActivity onBegin onEnd onFailure onFocus onHide onLeave
  onPause onResume onReturn onRotate onShow onStop onTrigger onceEmpty peek phase putBack requestSnapshot retryAfter sealAll
  sealNext snapshotChars takeDropped takeFullSnapshot textAreas touchesStyle tries unseal waiters windowStart
`;

/** For esbuild's `mangleProps`. */
export const MANGLED_NAMES: readonly string[] = NAMES.trim().split(/\s+/);
