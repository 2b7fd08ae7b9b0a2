/**
 * Names of properties that no one outside of the recorder's own file ever sees: rrweb's first, then ours. They are made short
 * where pages of other people load them. What is sent, stored, configured or called by a page must not stand here; a test
 * looks for that.
 */
const NAMES = `
  _unchangedStyles addLoadListener addShadowRoot addedSet adoptStyleSheets adoptedStyleSheetCb attachIframe attachLinkElement
  attributeMap bypassOptions collectFonts cssCaptured customElementCb droppedSet errorHandler fontCb genAdds
  genTextAreaValueMutation getId getMeta hasNode idNodeMap iframeLoadTimeout iframeManager inOtherBuffer inlineImages inputCb
  loadListener mapRemoves maskInputFn maskTextFn mediaInteractionCb mouseInteractionCb mousemoveCb movedMap movedSet mutationCb
  needsMask newlyAddedElement nodeMap nodeMetaMap observeAttachShadow onIframeLoad onSerialize onStylesheetLoad
  patchAttachShadow preserveWhiteSpace processMutation processMutations processedNodeManager removeNodeFromMap
  removesSubTreeCache restoreHandlers scrollCb selectionCb shadowDomManager shadowDoms skipChild styleDeclarationCb styleDiff
  styleIDMap styleMirror styleSheetRuleCb stylesheetLoadTimeout stylesheetManager unattachedDoc viewportResizeCb

  activeAt beginRun coverIn coverOf deliver detailsFor giveUp giveUpBuffered hasOld isBlocked isBuffering isField isHolding
  isInputMasked isLeaving isMasked isOut isPacked isRecording losses maskInput maskText maskValue nextSeq notBefore onBegin
  onHide onPause onResume onReturn onRotate onShow onStop onTrigger onceEmpty phase putBack requestSnapshot sealAll sealNext
  snapshotChars takeDropped takeFullSnapshot textAreas touchesStyle waiters
`;

/** For esbuild's `mangleProps`. */
export const MANGLED_NAMES: readonly string[] = NAMES.trim().split(/\s+/);
